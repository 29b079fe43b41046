"""What a person says about one object: clicks, a box, a mask file."""

import math
from dataclasses import dataclass
from pathlib import Path

from masklet.errors import InvalidInputError
from masklet.masks.geometry import Box

Point = tuple[float, float, int]


@dataclass(frozen=True)
class ObjectPrompt:
    """The prompts of one object, in pixels of its picture; at least one of the three kinds.

    Attributes:
        object_id: above 0.
        points: (x, y, label), label 1 on the object, 0 off it.
        box: (x1, y1, x2, y2) with x1 < x2 and y1 < y2.
        mask: a picture file of the picture's size; what is neither black nor transparent belongs to the object.

    InvalidInputError, naming the object, for anything else.
    """

    object_id: int
    points: tuple[Point, ...] = ()
    box: Box | None = None
    mask: Path | None = None

    def __post_init__(self) -> None:
        name = f"object {self.object_id}"
        if self.object_id < 1:
            raise InvalidInputError(f"Objects are numbered from 1; got {name}.")
        if not self.points and self.box is None and self.mask is None:
            raise InvalidInputError(f"Nothing is said about {name}; give points, a box or a mask.")
        for x, y, label in self.points:
            if not (math.isfinite(x) and math.isfinite(y)) or label not in (0, 1):
                raise InvalidInputError(
                    f"A point of {name} is ({x:g}, {y:g}) with the label {label}; "
                    "coordinates are finite numbers, labels 1 (on the object) or 0 (off it)."
                )
        if self.box is not None:
            x1, y1, x2, y2 = self.box
            if not (x1 < x2 and y1 < y2 and all(map(math.isfinite, self.box))):
                raise InvalidInputError(
                    f"The box of {name} is ({x1:g}, {y1:g}, {x2:g}, {y2:g}); it must have x1 < x2 and y1 < y2."
                )
