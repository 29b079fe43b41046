"""From the network's mask logits to the result that everything shares."""

from collections.abc import Callable, Sequence
from itertools import chain

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from masklet.masks.components import fill_enclosed_holes
from masklet.masks.segmentation import Segmentation
from masklet.masks.views import View, enlarged, seen_whole
from masklet.transfers import fetched


def begun_segmentation(
    logits_nhw: Tensor,
    scores_n: Tensor,
    object_ids: Sequence[int],
    size: tuple[int, int],
    max_hole_share: float = 0.0,
    kept_open: Sequence[npt.NDArray[np.floating]] | None = None,
    views: Sequence[View | None] = (),
) -> Callable[[], Segmentation]:
    """Return what returns the masks of N objects at the size of their image; a device copies them meanwhile.

    So the device can be given the work that comes next before its results are waited for. No two masks are at full size
    at once.

    Args:
        logits_nhw: low-resolution mask logits [N, h, w].
        scores_n: how good each mask is expected to be [N].
        object_ids: N integers above 0.
        size: (height, width) of the image.
        max_hole_share: which holes of the masks to fill (`enclosed_holes`); the logits of the result keep them.
        kept_open: for each object points [n, 2] (x, y), in the image's pixels, whose holes stay.
        views: for each object what its logits show of the image; None, or nothing at all: all of it. The logits of the
            result show all of it.
    """
    logits_nhw = logits_nhw.float()
    if kept_open is not None:
        scale = np.array(logits_nhw.shape[:0:-1]) / size[::-1]
        kept_open = [points_n2 * scale for points_n2 in kept_open]
    filled_nhw = fill_enclosed_holes(logits_nhw, max_hole_share, kept_open)
    views = views or [None] * len(logits_nhw)
    shown = zip(filled_nhw, views, strict=True)
    whole_nhw = [seen_whole(logits_hw, size, view) for logits_hw, view in zip(logits_nhw, views, strict=True)]
    low_resolution = torch.stack(whole_nhw) if whole_nhw else logits_nhw
    full_size = (enlarged(logits_hw, size, view) > 0 for logits_hw, view in shown)
    arrays = (each.numpy() for each in fetched(chain((scores_n.float(), low_resolution), full_size)))

    def result() -> Segmentation:
        scores, low_resolution_logits = next(arrays), next(arrays)
        return Segmentation.from_masks(arrays, size, scores, object_ids, low_resolution_logits)

    return result
