"""Connected components of masks: holes to fill and specks to remove."""

import cv2
import numpy as np
import torch
from torch import Tensor

from masklet.errors import InvalidMaskError

_EDIT_MARGIN = 10.0
"""Distance from the threshold, in logits, that an edited pixel gets: far enough to survive bilinear upscaling."""


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
            edited_nhw[index][torch.from_numpy(holes_hw).to(logits_nhw.device)] = threshold + _EDIT_MARGIN
        if max_sprinkle_area > 0:
            specks_hw = small_components(inside_hw, max_sprinkle_area)
            edited_nhw[index][torch.from_numpy(specks_hw).to(logits_nhw.device)] = threshold - _EDIT_MARGIN
    return edited_nhw


def small_components(inside_hw: np.ndarray, max_area: float) -> np.ndarray:
    """Return which pixels of a bool mask [h, w] lie in 8-connected components of at most `max_area` pixels."""
    _, labels_hw, statistics, _ = cv2.connectedComponentsWithStats(inside_hw.astype(np.uint8), connectivity=8)
    is_small = statistics[:, cv2.CC_STAT_AREA] <= max_area
    is_small[0] = False  # label 0 is everything outside the mask
    small_hw: np.ndarray = is_small[labels_hw]
    return small_hw
