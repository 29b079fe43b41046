"""Presets of tracking that trade accuracy for speed, for any model."""

from enum import StrEnum
from typing import Self

from masklet.errors import InvalidInputError
from masklet.json_files import shown

CELL = 32  # image sizes are multiples of it


class TrackingPreset(StrEnum):
    """`EXACT`: the model as it is. `FAST`: frames at half its image size, in bfloat16 where that is multiplied faster.

    Half the size means a quarter of the tokens in the encoder and of those in memory, and so a sixteenth of the scores
    between frame and memory.
    """

    EXACT = "exact"
    FAST = "fast"

    @classmethod
    def named(cls, name: str) -> Self:
        """Return the preset of a name; InvalidInputError if there is none."""
        try:
            return cls(name)
        except ValueError as error:
            raise InvalidInputError(f"There is no preset {shown(name)}; the presets are {', '.join(cls)}.") from error

    def image_size(self, own: int) -> int:
        """Return the side in pixels at which a model that takes images of side `own` sees frames."""
        return own if self is TrackingPreset.EXACT else max(CELL, own // 2 // CELL * CELL)

    @property
    def may_round(self) -> bool:
        """True if numbers may be rounded to bfloat16 where that is faster."""
        return self is TrackingPreset.FAST
