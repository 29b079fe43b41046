"""The order of samples in epochs, derived from the sample number; samples that cannot be read are replaced.

Those that were skipped are counted and, when there are too many of them, end the run.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from masklet.datasets.examination import READING_ERRORS
from masklet.errors import InvalidInputError

MOST_SKIPPED = 0.01  # of all samples
LISTED = 20

logger = logging.getLogger(__name__)

Sample = TypeVar("Sample")

MOST_IN_A_ROW = 100
ORDER, CHANCE = 2, 3  # keep the order of samples, and the chance within one, apart from all other chance of a run


@dataclass(frozen=True)
class SkippedSample:
    """An image or video of the dataset at `root` that was skipped, and why."""

    root: Path
    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name} of {self.root}: {self.reason}"


class SkippedSamples:
    """The different images and videos that a run has skipped so far, of `samples` in all its datasets."""

    def __init__(self, samples: int) -> None:
        self.samples = samples
        self._by_sample: dict[tuple[Path, str], SkippedSample] = {}

    def __len__(self) -> int:
        return len(self._by_sample)

    def __iter__(self) -> Iterator[SkippedSample]:
        return iter(self._by_sample.values())

    def state(self) -> list[list[str]]:
        """Return what `restore` takes, as texts."""
        return [[str(each.root), each.name, each.reason] for each in self]

    def restore(self, state: Iterable[Sequence[str]]) -> None:
        """Continue counting from a `state`."""
        for root, name, reason in state:
            self._by_sample[Path(root), name] = SkippedSample(Path(root), name, reason)

    def note(self, skipped: Iterable[SkippedSample]) -> None:
        """Count what was skipped for a batch, and log each image or video once, however often it comes.

        InvalidInputError with the list if a new one makes over 1 % of all samples.
        """
        new = {(each.root, each.name): each for each in skipped if (each.root, each.name) not in self._by_sample}
        self._by_sample |= new
        for each in new.values():
            logger.warning("Skipped %s", each)
        if new and len(self) > MOST_SKIPPED * self.samples:
            raise InvalidInputError(
                f"{len(self)} of {self.samples} samples cannot be used; training stops at over {MOST_SKIPPED:.0%}. "
                f"`masklet data check` finds all of them at once. {listed(self)}"
            )


def listed(skipped: Iterable[SkippedSample]) -> str:
    """One line each, of the first 20."""
    lines = [str(each) for each in skipped]
    more = f"\n... and {len(lines) - LISTED} more" if len(lines) > LISTED else ""
    return "They are:\n- " + "\n- ".join(lines[:LISTED]) + more


class NothingVisibleError(Exception):
    """An image or video shows no object that is large enough to be prompted for."""


class EpochOrder:
    """The order in which the `count` samples of a dataset are used, by number, and which of them had to be skipped.

    Numbers 0 to count - 1 are one epoch, in an order of its own, the next `count` numbers the second, and so on.
    """

    def __init__(self, root: Path, count: int, seed: int) -> None:
        if count < 1:
            raise InvalidInputError(f"{root} holds no samples; training needs at least one.")
        self.root, self.count, self.seed = root, count, seed
        self._skipped: list[SkippedSample] = []
        self._epoch, self._order = -1, np.zeros(0, np.int64)

    def order(self, epoch: int) -> NDArray[np.int64]:
        """Return the samples of an epoch."""
        if epoch != self._epoch:
            self._epoch, self._order = epoch, np.random.default_rng((ORDER, self.seed, epoch)).permutation(self.count)
        return self._order

    def chance(self, number: int) -> np.random.Generator:
        """Return the random generator of the sample of a number."""
        return np.random.default_rng((CHANCE, self.seed, number))

    def take(self, number: int, sample: Callable[[int], Sample], name: Callable[[int], str]) -> Sample:
        """Return `sample(index)` of the sample at `number`; the next in the epoch's order replaces one that fails.

        Samples that cannot be read are noted by their `name`; those without a visible object are not.
        InvalidInputError if 100 in a row, or all, are of no use.
        """
        epoch, offset = divmod(number, self.count)
        failed: list[SkippedSample] = []
        attempts = min(self.count, MOST_IN_A_ROW)
        for attempt in range(attempts):
            index = int(self.order(epoch)[(offset + attempt) % self.count])
            try:
                taken = sample(index)
            except NothingVisibleError:
                continue
            except READING_ERRORS as error:
                failed.append(SkippedSample(self.root, name(index), str(error)))
                continue
            self._skipped += failed
            return taken
        raise InvalidInputError(
            f"{attempts} samples of {self.root} in a row show no object or cannot be read. "
            + (listed(failed) if failed else "None of them shows an object of at least 24 pixels.")
        )

    def collect_skipped(self) -> list[SkippedSample]:
        """Return what was skipped since the last call."""
        skipped, self._skipped = self._skipped, []
        return skipped
