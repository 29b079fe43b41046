"""Which candidates stay, and how many fell to which filter."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch.nn.functional as F
from torch import Tensor

from masklet.automask.settings import AutomaticMaskSettings
from masklet.masks.counts import Counts, counts_of_mask
from masklet.masks.views import View

EDGE_TOLERANCE = 20.0
"""In pixels: a mask that comes so close to the edge of its crop is taken for cut off."""


@dataclass(frozen=True)
class FilterCounts:
    """How many masks were left after each step, of all crops together.

    Attributes:
        points: decoded.
        candidates: masks that the network gave for them.
        iou: left above the threshold of predicted IoU.
        stability: left that are stable.
        edge: left that are not cut off by their crop.
        nms: left after suppression within crops.
        crop_nms: left after suppression between crops.
    """

    points: int = 0
    candidates: int = 0
    iou: int = 0
    stability: int = 0
    edge: int = 0
    nms: int = 0
    crop_nms: int = 0

    def __add__(self, other: "FilterCounts") -> "FilterCounts":
        return FilterCounts(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))


class Candidate(NamedTuple):
    """A mask that passed the filters.

    Attributes:
        counts: its run lengths in the whole image.
        box: (x1, y1, x2, y2), the first and last columns and rows in pixels of the image; zeros of the view's corner
            for an empty mask.
        score: predicted IoU.
        stability: 0..1; NaN of an empty mask.
        point: (x, y) in pixels of the image.
    """

    counts: Counts
    box: tuple[float, float, float, float]
    score: float
    stability: float
    point: tuple[float, float]


def stable_candidates(
    logits_nhw: Tensor,
    scores_n: Tensor,
    points_n2: npt.NDArray[np.float64],
    view: View,
    size: tuple[int, int],
    settings: AutomaticMaskSettings,
) -> Iterator[Candidate]:
    """Yield the masks that are stable, one after the other.

    Args:
        logits_nhw: low-resolution logits [n, h, w] of masks in a view.
        scores_n: their predicted IoU [n].
        points_n2: where they were prompted, in pixels of the image.
        view: the crop, or the whole image.
        size: (height, width) of the image.
        settings: the thresholds.
    """
    threshold, offset = settings.mask_threshold, settings.stability_score_offset
    for logits_hw, score, point in zip(logits_nhw.float(), scores_n.tolist(), points_n2.tolist(), strict=True):
        whole = F.interpolate(logits_hw[None, None], view.size, mode="bilinear", align_corners=False)[0, 0]
        surely, perhaps = (int((whole > threshold + each).sum()) for each in (offset, -offset))
        stability = surely / perhaps if perhaps else float("nan")
        if settings.stability_score_thresh > 0 and not np.float32(stability) >= np.float32(
            settings.stability_score_thresh
        ):
            continue
        yield _candidate((whole > threshold).cpu().numpy(), score, stability, point, view, size)


def _candidate(
    mask: npt.NDArray[np.bool_], score: float, stability: float, point: list[float], view: View, size: tuple[int, int]
) -> Candidate:
    in_image = np.zeros(size, dtype=bool)
    view.of(in_image)[:] = mask
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    corners = (columns[0], rows[0], columns[-1], rows[-1]) if columns.size else (0, 0, 0, 0)
    x1, y1, x2, y2 = (float(each) for each in corners)
    box = (x1 + view.left, y1 + view.top, x2 + view.left, y2 + view.top)
    return Candidate(counts_of_mask(in_image), box, score, stability, (point[0], point[1]))


def is_cut_off(box: tuple[float, float, float, float], view: View, size: tuple[int, int]) -> bool:
    """Whether a box comes close to an edge of its crop that is not near the same edge of the image."""
    height, width = size
    of_crop, of_image = (view.left, view.top, view.right, view.bottom), (0, 0, width, height)
    return any(
        abs(edge - crop) <= EDGE_TOLERANCE < abs(edge - image)
        for edge, crop, image in zip(box, of_crop, of_image, strict=True)
    )
