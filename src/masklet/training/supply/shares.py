"""A step's scenes or clips in equal shares, one after another in a process or beside each other in several."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from torch.utils.data import Dataset

Batch = TypeVar("Batch")


@dataclass(frozen=True)
class Share:
    """Share `number` (from 0) of `count`."""

    number: int = 0
    count: int = 1

    def of(self, numbers: range) -> range:
        """Which of a step's numbers are this share's: every `count`-th."""
        return numbers[self.number :: self.count]


class SharesInTurn(Dataset[Batch]):
    """Datasets of one batch a step as a single one: the first step's batch of each, then the second step's, ..."""

    def __init__(self, of_shares: Sequence[Dataset[Batch]], steps: int) -> None:
        self.of_shares, self.steps = of_shares, steps

    def __len__(self) -> int:
        return self.steps * len(self.of_shares)

    def __getitem__(self, index: int) -> Batch:
        step, share = divmod(index, len(self.of_shares))
        return self.of_shares[share][step]
