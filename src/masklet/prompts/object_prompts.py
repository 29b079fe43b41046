"""What a person says about one object: clicks, a box, a mask file."""

import sys
from dataclasses import dataclass
from pathlib import Path

from masklet.errors import InvalidInputError
from masklet.json_files import shown
from masklet.masks.geometry import Box

Point = tuple[float, float, int]

LARGEST_ID = 2**31 - 1
_LARGEST = sys.float_info.max


@dataclass(frozen=True)
class ObjectPrompt:
    """The prompts of one object, in pixels of its picture; at least one of the three kinds.

    Attributes:
        object_id: 1 to 2**31 - 1.
        points: (x, y, label), label 1 on the object, 0 off it.
        box: (x1, y1, x2, y2) with x1 < x2 and y1 < y2.
        mask: an image file of the image's size, read by `masklet.media.mask_images`: of a label map that shows
            `object_id` the pixels of this id, or else all that are of any object.

    InvalidInputError, naming the object, for anything else.
    """

    object_id: int
    points: tuple[Point, ...] = ()
    box: Box | None = None
    mask: Path | None = None

    def __post_init__(self) -> None:
        name = f"object {self.object_id}"
        if not 1 <= self.object_id <= LARGEST_ID:
            raise InvalidInputError(f"Objects are numbered from 1 to {LARGEST_ID}; got {shown(self.object_id)}.")
        if not self.points and self.box is None and self.mask is None:
            raise InvalidInputError(f"Nothing is said about {name}; give points, a box or a mask.")
        for x, y, label in self.points:
            if not _are_finite(x, y) or label not in (0, 1):
                raise InvalidInputError(
                    f"A point of {name} is ({shown(x)}, {shown(y)}) with the label {shown(label)}; "
                    "coordinates are finite numbers, labels 1 (on the object) or 0 (off it)."
                )
        if self.box is not None:
            x1, y1, x2, y2 = self.box
            if not (x1 < x2 and y1 < y2 and _are_finite(*self.box)):
                raise InvalidInputError(
                    f"The box of {name} is ({', '.join(map(shown, self.box))}); it must have x1 < x2 and y1 < y2, in "
                    "finite numbers."
                )


def _are_finite(*numbers: float) -> bool:
    """Return whether numbers, which may be integers of any length, are finite once they are floats."""
    return all(-_LARGEST <= number <= _LARGEST for number in numbers)
