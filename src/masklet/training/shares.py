"""A step's scenes or clips in equal shares, one after another in a process or beside each other in several."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Share:
    """Share `number` (from 0) of `count`."""

    number: int = 0
    count: int = 1

    def of(self, numbers: range) -> range:
        """Which of a step's numbers are this share's: every `count`-th."""
        return numbers[self.number :: self.count]
