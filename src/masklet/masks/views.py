"""Parts of an image that are looked at on their own: in crop refinement, in the training for it, and in videos.

The one home of their sizes, so that training and use cannot drift apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from masklet.masks.geometry import Box
from masklet.masks.logits import CERTAIN_LOGIT

REACH = 1.4
"""Side of the crop that refines an object, in longer sides of its box (f-BRS, Sofiiuk et al., CVPR 2020)."""

TRAINED_REACHES = 1.2, 3.0
"""Of the crops that training draws."""

SMALLEST_SIDE = 32.0
"""Of a crop, in pixels of its image: less is nothing but blur."""

LARGEST_FRACTION = 0.8
"""Of the image's sides, of a crop: a larger one would show much the same."""

FOLLOWING_REACH = 4.0
"""As `REACH`, of the view that follows an object through a video: it has to move within it."""

LEAST_ROOM = 0.75
"""Between an object and the edges of the view that follows it, in longer sides of its box; with less the view moves."""

LARGEST_MISFIT = 1.5
"""Of the side of a view that follows an object, as a factor of the one it would begin with, or its inverse."""

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

    @classmethod
    def whole(cls, height: int, width: int) -> Self:
        """Return the view of a whole image."""
        return cls(0, 0, width, height)

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


def view_about(box: Box, reach: float, height: int, width: int) -> View | None:
    """Return the view of an object, arguments as of `crop_side`; None if it would show nothing new."""
    side = crop_side(box, reach, height, width)
    return None if side is None else View(*(round(edge) for edge in surroundings(box, side, height, width)))


def following_views(
    boxes: Sequence[Box | None],
    earlier: Sequence[View | None],
    height: int,
    width: int,
    others: Sequence[View] = (),
) -> list[View | None]:
    """Return the view in which each of n objects is looked for on a frame; None is the whole frame.

    A view stays as it is while its object has room in it, and is neither small nor large there. Otherwise the object
    joins the view of another in which it has both, or gets one of its own.

    Args:
        boxes: of the objects on the frame before, in pixels of the video; None: not seen there.
        earlier: the views of the objects on the frame before.
        height: of the video, in pixels.
        width: likewise.
        others: views that are in use on the frame anyway.
    """
    size = (height, width)
    stays = [box is None or _suits(view, box, *size) for box, view in zip(boxes, earlier, strict=True)]
    in_use = [view for view, does_stay in zip(earlier, stays, strict=True) if does_stay and view is not None]
    in_use += others
    chosen: list[View | None] = []
    for box, view, does_stay in zip(boxes, earlier, stays, strict=True):
        chosen.append(view if box is None or does_stay else _view_for(box, in_use, *size))
        in_use += [each for each in chosen[-1:] if each is not None]
    return chosen


def _view_for(box: Box, in_use: Sequence[View], height: int, width: int) -> View | None:
    """Return one of the views in use that suits an object, or a view of its own."""
    shared = (view for view in in_use if _suits(view, box, height, width))
    return next(shared, None) or view_about(box, FOLLOWING_REACH, height, width)


def _suits(view: View | None, box: Box, height: int, width: int) -> bool:
    """Whether an object has room in a view (None: in the whole image), and is neither small nor large there."""
    whole = LARGEST_FRACTION * max(height, width)
    ideal = crop_side(box, FOLLOWING_REACH, height, width) or whole
    side = whole if view is None else max(view.size)
    if not 1 / LARGEST_MISFIT <= side / ideal <= LARGEST_MISFIT:
        return False
    room = LEAST_ROOM * longer_side(box)
    return view is None or (
        view.left <= max(box[0] - room, 0)
        and view.top <= max(box[1] - room, 0)
        and view.right >= min(box[2] + room, width)
        and view.bottom >= min(box[3] + room, height)
    )


def seen_from(logits_nhw: Tensor, own: View, other: View) -> Tensor:
    """Return mask logits [n, h, w] of one view as those of another, [n, h, w]; -10 where the first shows nothing."""
    height, width = logits_nhw.shape[-2:]
    # Brought to the other's scale first, so that no pixel is left out where that is the smaller one.
    scales = [mine / theirs for mine, theirs in zip(own.size, other.size, strict=True)]
    fitting = max(1, round(min(1, scales[0]) * height)), max(1, round(min(1, scales[1]) * width))
    found_n1hw = F.interpolate(logits_nhw.unsqueeze(1).float(), fitting, mode="bilinear", antialias=True)
    rows = _places(height, (own.top, own.bottom), (other.top, other.bottom), logits_nhw.device)
    columns = _places(width, (own.left, own.right), (other.left, other.right), logits_nhw.device)
    places_hw2 = torch.stack(torch.meshgrid(rows, columns, indexing="ij")[::-1], dim=-1)
    places_nhw2 = places_hw2.expand(len(logits_nhw), -1, -1, -1)
    above_nothing = F.grid_sample(found_n1hw + CERTAIN_LOGIT, places_nhw2, align_corners=False)
    return (above_nothing[:, 0] - CERTAIN_LOGIT).to(logits_nhw.dtype)


def seen_whole(logits_hw: Tensor, size: tuple[int, int], view: View | None) -> Tensor:
    """Return mask logits [h, w] of a view (None: of all) as those of an image of `size` (height, width), [h, w]."""
    return logits_hw if view is None else seen_from(logits_hw[None], view, View.whole(*size))[0]


def enlarged(logits_hw: Tensor, size: tuple[int, int], view: View | None = None) -> Tensor:
    """Return the mask logits [height, width] of an image of that size from those [h, w] of a view; None: of all of it.

    Outside of the view they are -10.
    """
    shown = size if view is None else view.size
    found_hw = F.interpolate(logits_hw[None, None].float(), shown, mode="bilinear", align_corners=False)[0, 0]
    if view is None:
        return found_hw
    whole_hw = found_hw.new_full(size, -CERTAIN_LOGIT)
    view.of(whole_hw).copy_(found_hw)
    return whole_hw


def _places(count: int, own: tuple[int, int], other: tuple[int, int], device: torch.device) -> Tensor:
    """Return where the middles of `count` pixels of one stretch lie in another [count], as `grid_sample` has it."""
    middles = (torch.arange(count, device=device) + 0.5) / count * (other[1] - other[0]) + other[0]
    return (middles - own[0]) / (own[1] - own[0]) * 2 - 1


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
