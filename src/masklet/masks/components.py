"""Connected components of masks: holes to fill and specks to remove."""

import math
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from masklet.errors import InvalidMaskError
from masklet.masks.geometry import Mask, bounding_box
from masklet.masks.logits import CERTAIN_LOGIT


def fill_holes_and_remove_specks(
    logits_nhw: Tensor, threshold: float = 0.0, max_hole_area: float = 0.0, max_sprinkle_area: float = 0.0
) -> Tensor:
    """Return a copy of mask logits without small holes and specks; each mask is treated on its own.

    A hole is an 8-connected component of the background (logit <= threshold) of at most `max_hole_area` pixels: it
    becomes threshold + 10. A speck is one of the foreground of at most `max_sprinkle_area` pixels: it becomes
    threshold - 10. Both are found in the masks as given, and an area of 0 leaves its kind alone. This is the
    post-processing of Meta's SAM 2 image predictor.

    Args:
        logits_nhw: mask logits [N, h, w], floating point, on any device.
        threshold: logit above which a pixel belongs to the mask.
        max_hole_area: largest hole to fill, in pixels of the given masks.
        max_sprinkle_area: largest speck to remove, in the same pixels.

    Raises:
        InvalidMaskError: if the tensor is not [N, h, w] or not floating point.
    """
    if logits_nhw.ndim != 3 or not logits_nhw.is_floating_point():
        raise InvalidMaskError(
            f"Masks must be floating point logits [N, h, w], got {logits_nhw.dtype} of shape {tuple(logits_nhw.shape)}."
        )
    edited_nhw = logits_nhw.clone()
    if max(max_hole_area, max_sprinkle_area) <= 0:
        return edited_nhw
    for index, inside_hw in enumerate((logits_nhw > threshold).cpu().numpy()):
        if max_hole_area > 0:
            holes_hw = small_components(~inside_hw, max_hole_area)
            edited_nhw[index][torch.from_numpy(holes_hw).to(logits_nhw.device)] = threshold + CERTAIN_LOGIT
        if max_sprinkle_area > 0:
            specks_hw = small_components(inside_hw, max_sprinkle_area)
            edited_nhw[index][torch.from_numpy(specks_hw).to(logits_nhw.device)] = threshold - CERTAIN_LOGIT
    return edited_nhw


def small_components(inside_hw: np.ndarray, max_area: float) -> np.ndarray:
    """Return which pixels of a bool mask [h, w] lie in 8-connected components of at most `max_area` pixels."""
    _, labels_hw, statistics, _ = cv2.connectedComponentsWithStats(inside_hw.astype(np.uint8), connectivity=8)
    is_small = statistics[:, cv2.CC_STAT_AREA] <= max_area
    is_small[0] = False  # label 0 is everything outside the mask
    small_hw: np.ndarray = is_small[labels_hw] if is_small.any() else np.zeros_like(inside_hw)
    return small_hw


def pieces_of(mask: Mask, least_share: float = 0.0) -> int:
    """Return of how many 8-connected components a mask (bool [H, W]) is that have a share of its area, or more."""
    _, _, statistics, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    areas = statistics[1:, cv2.CC_STAT_AREA]  # the first is everything outside the mask
    return int((areas >= least_share * areas.sum()).sum())


def without_small_regions(mask: Mask, area: float) -> tuple[Mask, bool]:
    """Return a mask without small holes and islands, and whether there were any; this is SAM 1's clean-up.

    First holes of fewer than `area` pixels are filled (8-connected components of the background, those at the image's
    border included), then islands of fewer are removed. Where all islands are small, the largest one stays.

    Args:
        mask: bool [H, W], which is not changed.
        area: the size of the smallest hole and island that stays, in pixels.
    """
    most, box = math.ceil(area) - 1, bounding_box(mask)
    if most < 1 or box is None:
        return mask, False
    left, top, right, bottom = map(int, box)
    # Around the box there is more background than a small region has, or the image ends: beyond, nothing changes.
    across, down = most // (bottom - top) + 1, most // (right - left) + 1
    window = np.s_[max(top - down, 0) : bottom + down, max(left - across, 0) : right + across]
    holes = small_components(~mask[window], most)
    filled = mask[window] | holes
    islands = small_components(filled, most)
    if not (holes.any() or islands.any()):
        return mask, False
    cleaned = mask.copy()
    cleaned[window] = filled & ~islands if (filled & ~islands).any() else largest_component(filled)
    return cleaned, True


def largest_component(inside_hw: Mask) -> Mask:
    """Return the largest 8-connected component of a mask (bool [h, w]) that has one; of equal ones the first."""
    _, labels_hw, statistics, _ = cv2.connectedComponentsWithStats(inside_hw.astype(np.uint8), connectivity=8)
    largest: Mask = labels_hw == 1 + int(np.argmax(statistics[1:, cv2.CC_STAT_AREA]))
    return largest


def fill_enclosed_holes(
    logits_nhw: Tensor, max_hole_share: float, kept_open: Sequence[npt.ArrayLike] | None = None
) -> Tensor:
    """Return mask logits (threshold 0) without small holes, as a copy where any is filled.

    Pixels of holes become 10; enlarged bilinearly, nothing outside the masks' outer outlines changes sides.

    Args:
        logits_nhw: mask logits [N, h, w], floating point, on any device.
        max_hole_share: the largest hole to fill, see `enclosed_holes`; 0 fills none.
        kept_open: for each mask points [n, 2] (x, y), in pixels of the logits, whose holes stay.
    """
    if max_hole_share <= 0:
        return logits_nhw
    filled_nhw = logits_nhw.clone()
    for index, inside_hw in enumerate((logits_nhw > 0).cpu().numpy()):
        holes_hw = enclosed_holes(inside_hw, max_hole_share, () if kept_open is None else kept_open[index])
        if holes_hw.any():
            filled_nhw[index][torch.from_numpy(holes_hw).to(logits_nhw.device)] = CERTAIN_LOGIT
    return filled_nhw


def enclosed_holes(inside_hw: np.ndarray, max_share: float, kept_open: npt.ArrayLike = ()) -> np.ndarray:
    """Return which pixels of a bool mask [h, w] lie in small holes.

    A hole is an 8-connected component of the background that does not reach the image's border. Its size is compared
    with what the mask's outer outlines enclose, which stays the same when holes are filled: filling twice is filling
    once.

    Args:
        inside_hw: the mask.
        max_share: the largest hole, as a share of the mask and all its holes, 0..1.
        kept_open: points [n, 2] (x, y) in pixels, from the image's corner; a hole stays if one lies in it or, by less
            than a pixel, beside it.
    """
    holes_hw = np.zeros_like(inside_hw)
    box = bounding_box(inside_hw)
    if box is None:
        return holes_hw
    left, top, right, bottom = map(int, box)
    inside = inside_hw[top:bottom, left:right]  # holes lie within the mask's box
    _, labels, statistics, _ = cv2.connectedComponentsWithStats(
        np.pad(~inside, 1, constant_values=True).astype(np.uint8), connectivity=8
    )
    areas = statistics[:, cv2.CC_STAT_AREA].copy()
    areas[0] = areas[labels[0, 0]] = 0  # label 0 is the mask; what reaches the border is no hole
    is_filled = (areas > 0) & (areas <= max_share * (int(np.count_nonzero(inside)) + int(areas.sum())))
    # The pixels between whose middles a point lies; the frame that was added counts as one.
    points_n2 = np.asarray(kept_open, np.float64).reshape(-1, 2) - [left, top] + 0.5
    last = [labels.shape[1] - 1, labels.shape[0] - 1]
    for first, second in zip(np.floor(points_n2), np.ceil(points_n2), strict=True):
        columns, rows = np.clip([first, second], 0, last).astype(int).T
        is_filled[labels[np.ix_(rows, columns)]] = False
    holes_hw[top:bottom, left:right] = is_filled[labels[1:-1, 1:-1]]
    return holes_hw
