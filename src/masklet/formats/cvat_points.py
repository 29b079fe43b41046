"""Masks as CVAT's programs pass them: the run lengths inside the box, row by row, and then the box."""

from collections.abc import Sequence

import numpy as np

from masklet.errors import InvalidInputError
from masklet.json_files import shown, whole_number
from masklet.masks.counts import counts_from
from masklet.masks.geometry import Mask, bounding_box
from masklet.masks.run_length import mask_of, row_counts

_EMPTY = [1, 0, 0, 0, 0]


def points_of_mask(mask: Mask) -> list[int]:
    """Return a mask (bool [H, W]) as `points`: its runs, then left, top, right and bottom, the latter two inclusive."""
    box = bounding_box(mask)
    if box is None:
        return [*_EMPTY]
    left, top, right, bottom = map(int, box)
    runs: list[int] = row_counts(mask[top:bottom, left:right]).tolist()
    return [*runs, left, top, right - 1, bottom - 1]


def mask_of_points(points: Sequence[float], height: int, width: int) -> Mask:
    """Return the mask (bool [height, width]) of `points`.

    InvalidInputError if they are no runs and box, or the box reaches beyond the image.
    """
    if len(points) < len(_EMPTY):
        raise InvalidInputError(f"The points of a mask are its runs and four sides; got {shown(list(points))}.")
    left, top, right, bottom = (whole_number(each, "A side of a mask's box") for each in points[-4:])
    if not (left <= right < width and top <= bottom < height):
        raise InvalidInputError(f"The box {[left, top, right, bottom]} of a mask is not within {width} x {height}.")
    crop_height, crop_width = bottom - top + 1, right - left + 1
    runs = counts_from(list(points[:-4]), crop_height, crop_width)
    mask = np.zeros((height, width), dtype=bool)
    mask[top : bottom + 1, left : right + 1] = mask_of(runs, crop_width, crop_height).T
    return mask
