"""Micro-batches: the scenes or clips of a step in equal parts, for gradient accumulation and for several processes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from torch.utils.data import Dataset

Batch = TypeVar("Batch")


@dataclass(frozen=True)
class StepSlice:
    """The samples of a step that micro-batch `number` (from 0) of `count` takes."""

    number: int = 0
    count: int = 1

    def of(self, numbers: range) -> range:
        """Select this micro-batch's numbers of a step's: every `count`-th."""
        return numbers[self.number :: self.count]


class MicroBatchesInTurn(Dataset[Batch]):
    """Datasets of one micro-batch a step as a single one: those of the first step, then those of the second, ..."""

    def __init__(self, of_slices: Sequence[Dataset[Batch]], steps: int) -> None:
        self.of_slices, self.steps = of_slices, steps

    def __len__(self) -> int:
        return self.steps * len(self.of_slices)

    def __getitem__(self, index: int) -> Batch:
        step, number = divmod(index, len(self.of_slices))
        return self.of_slices[number][step]
