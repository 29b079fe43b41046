"""What an entry of the fuzzer is: a valid input, a way to spoil it, and what a user does with it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from masklet import errors

REFUSALS = tuple(each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, Exception))


class FaultError(Exception):
    """What should not have happened, though no unexpected exception came out."""


class RefusedError(Exception):
    """A command that refused its input as every command promises to."""


@dataclass(frozen=True)
class Entry:
    """One way into masklet.

    Attributes:
        make: writes a valid input into an empty folder, which is the current one, and returns what leads to it.
        spoil: spoils that input, in place or by returning another, and says how: (rng, input) to (name, input).
        use: what a user does with it.
        share: how many inputs it gets while others get one.
    """

    make: Callable[[Path], Any]
    spoil: Callable[[Random, Any], tuple[str, Any]]
    use: Callable[[Any], object]
    share: int = 1

    def attempt(self, rng: Random | None, folder: Path) -> tuple[str, Callable[[], object]]:
        """Return the name of a spoiled input (of the valid one without `rng`), and its use."""
        valid = self.make(folder)
        name, given = ("valid", valid) if rng is None else self.spoil(rng, valid)
        return name, lambda: self.use(given)


def is_refusal(error: BaseException) -> bool:
    """Whether an exception is one that users are promised: one of `masklet.errors`, or the system's about a file."""
    return isinstance(error, (*REFUSALS, RefusedError)) or (isinstance(error, OSError) and error.errno is not None)
