"""Samples that cannot be read: skipped, counted and, when there are too many of them, the end of the run."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from masklet.errors import InvalidInputError

MOST_SKIPPED = 0.01  # of all samples
LISTED = 20

logger = logging.getLogger(__name__)


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
