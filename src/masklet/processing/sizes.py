"""Heights and widths in the spellings that callers use."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

from masklet.arrays import number_tensor
from masklet.errors import InvalidInputError
from masklet.json_files import shown
from masklet.whole_numbers import is_whole_number

LARGEST_SIDE = 10**6  # pixels


class Size(dict[str, int]):
    """{"height": h, "width": w} in pixels, by key and by attribute."""

    @property
    def height(self) -> int:
        """Rows."""
        return self["height"]

    @property
    def width(self) -> int:
        """Columns."""
        return self["width"]


def height_and_width(size: object, name: str = "size", largest: int = LARGEST_SIDE) -> Size:
    """Return {"height": h, "width": w} from such a mapping, a pair (height, width), or one number for a square.

    Raises:
        InvalidInputError: if it is none of these, or a side is not a whole number from 1 to `largest`.
    """
    sides: Any = size
    if isinstance(size, Mapping):
        sides = (size.get("height"), size.get("width"))
    elif is_whole_number(size):
        sides = (size, size)
    try:
        height, width = (int(side) for side in sides)
        if isinstance(size, str | bool) or height < 1 or width < 1 or any(side % 1 for side in sides):
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        raise InvalidInputError(
            f"{name} must be {{'height': h, 'width': w}}, (h, w) or one number, all positive; got {shown(size)}."
        ) from None
    if max(height, width) > largest:
        raise InvalidInputError(f"{name} is {shown(size)}; height and width are at most {largest} pixels.")
    return Size(height=height, width=width)


def size_pairs(sizes: object) -> list[tuple[int, int]]:
    """Return one (height, width) per image from nested lists, an array or a tensor [images, 2].

    Raises:
        InvalidInputError: if it is not one pair of positive whole numbers per image.
    """
    plain: Any = number_tensor(sizes, "original_sizes").tolist() if isinstance(sizes, np.ndarray | Tensor) else sizes
    if not isinstance(plain, list | tuple) or any(isinstance(size, int | float) for size in plain):
        raise InvalidInputError(f"original_sizes must be one (height, width) per image, got {shown(sizes)}.")
    pairs = (height_and_width(size, "original_sizes") for size in plain)
    return [(pair["height"], pair["width"]) for pair in pairs]
