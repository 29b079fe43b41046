"""Parts of an image that are looked at on their own: what crop refinement shows, and what object crops train it for.

The one home of their sizes, so that training and use cannot drift apart.
"""

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from masklet.masks.geometry import Box

REACH = 1.4
"""Side of the crop that refines an object, in longer sides of its box (f-BRS, Sofiiuk et al., CVPR 2020)."""

TRAINED_REACHES = 1.2, 3.0
"""Of the crops that training draws."""

SMALLEST_SIDE = 32.0
"""Of a crop, in pixels of its image: less is nothing but blur."""

LARGEST_FRACTION = 0.8
"""Of the image's sides, of a crop: a larger one would show much the same."""

MARGIN = 0.25
"""Of a window around a mask, on either side, in sides of the mask's box."""

LEAST_MARGIN = 8.0
"""In pixels: two low-resolution pixels."""

Values = TypeVar("Values", bound=Any)  # an array or a tensor


@dataclass(frozen=True)
class View:
    """A part of an image, in whole pixels."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def size(self) -> tuple[int, int]:
        """The height and width, in pixels."""
        return self.bottom - self.top, self.right - self.left

    def of(self, values: Values) -> Values:
        """Return what it shows of an array or tensor [..., H, W]; not a copy."""
        return values[..., self.top : self.bottom, self.left : self.right]

    def shows(self, points: npt.NDArray[np.floating]) -> npt.NDArray[np.bool_]:
        """Return which of points [n, 2] lie in it or on its edges, bool [n]."""
        return np.asarray(((points >= (self.left, self.top)) & (points <= (self.right, self.bottom))).all(-1))

    def places(self, points: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        """Return points [n, 2] of the image in its own pixels."""
        return points - np.array([self.left, self.top], points.dtype)


def crop_side(box: Box, reach: float, height: int, width: int) -> float | None:
    """Return the side of the square crop about an object, in pixels; None if it would show nothing new.

    Args:
        box: of the object (x1, y1, x2, y2), in pixels.
        reach: the crop's side, in longer sides of the box.
        height: of the image, in pixels.
        width: likewise.
    """
    side = max(reach * longer_side(box), SMALLEST_SIDE)
    return None if side > LARGEST_FRACTION * width and side > LARGEST_FRACTION * height else side


def longer_side(box: Box) -> float:
    """Return the longer side of a box (x1, y1, x2, y2)."""
    return max(box[2] - box[0], box[3] - box[1])


def surroundings(box: Box, side: float, height: int, width: int) -> Box:
    """Return the square (x1, y1, x2, y2) of `side` pixels about the middle of `box`, in an image of that size.

    At the image's border it is moved inwards, and it is no longer than the image.
    """
    x1, y1, x2, y2 = box
    across, down = min(side, width), min(side, height)
    left = min(max((x1 + x2 - across) / 2, 0.0), width - across)
    top = min(max((y1 + y2 - down) / 2, 0.0), height - down)
    return left, top, left + across, top + down


def windows_around(masks: Tensor) -> Tensor:
    """Return the window around each of `masks` [..., S, S] bool as left, top, right and bottom [..., 4], in pixels.

    It leaves a quarter of the mask's box on every side, and 8 pixels or more, where the image has so many; that of an
    empty mask is the whole image.
    """
    columns, rows = _span(masks.any(-2)), _span(masks.any(-1))
    return torch.stack([columns[0], rows[0], columns[1], rows[1]], dim=-1)


def _span(occupied: Tensor) -> tuple[Tensor, Tensor]:
    """Return where a window begins and ends [...], in pixels; `occupied` [..., S] are the mask's rows or columns."""
    size = occupied.shape[-1]
    first = occupied.int().argmax(-1).float()
    end = size - occupied.flip(-1).int().argmax(-1).float()
    margin = (MARGIN * (end - first)).clamp(min=LEAST_MARGIN)
    return (first - margin).clamp(min=0), (end + margin).clamp(max=size)
