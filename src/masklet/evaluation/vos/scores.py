"""J and F of video object segmentation: frame by frame, and their mean, recall and decay over a video.

The measures are those of DAVIS (Perazzi et al., 2016), the statistics those of its official tool of 2017, by which
published results are given: https://github.com/davisvideochallenge/davis2017-evaluation.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Self, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from masklet.errors import InvalidMaskError
from masklet.masks.geometry import Mask, bounding_box
from masklet.masks.overlap import intersection_over_union

DECAY_PARTS = 4
FEWEST_FRAMES = 3  # the first and the last never count

Frame = TypeVar("Frame")
"""The number of a frame, or what was measured on it."""
TOLERANCE = 0.008
"""How far apart two outlines may be and still agree, as a share of the image's diagonal (DAVIS)."""


class CountingRule(StrEnum):
    """Which frames of an object count; its first and its last annotated frame count in neither.

    DAVIS: all; where neither ground truth nor prediction has the object, both J and F are 1.
    APPEARANCE: those from the object's first appearance in ground truth or prediction on; an object that the ground
        truth never shows on them does not count at all (SA-V and MOSE).
    """

    DAVIS = "davis"
    APPEARANCE = "appearance"


class FrameScores(NamedTuple):
    """One object on one frame: the region measure J and the boundary measure F, and which mask had any pixel."""

    j: float
    f: float
    is_true: bool
    is_predicted: bool

    @property
    def j_and_f(self) -> float:
        """The mean of both."""
        return (self.j + self.f) / 2

    @classmethod
    def between(cls, target: Mask, predicted: Mask) -> Self:
        """Measure two bool masks [H, W]; InvalidMaskError if they are others."""
        agreement = intersection_over_union(target, predicted), boundary_agreement(target, predicted)
        return cls(*agreement, bool(target.any()), bool(predicted.any()))


@dataclass(frozen=True)
class Statistics:
    """One measure over the frames of a video: its mean, recall and decay, in 0 to 1 (decay in -1 to 1).

    `recall` is the share of the frames above 0.5; `decay` is the mean of the first quarter less that of the last.
    """

    mean: float
    recall: float
    decay: float


def without_ends(annotated: Sequence[Frame]) -> Sequence[Frame]:
    """Return what is measured of the annotated frames of an object: all but the first and the last."""
    return annotated[1:-1]


def counted_frames(measured: Sequence[FrameScores], rule: CountingRule = CountingRule.DAVIS) -> Sequence[FrameScores]:
    """Return those of the measured frames of an object that count, in order; none if it does not count at all."""
    if rule is CountingRule.DAVIS:
        return measured
    if not any(each.is_true for each in measured):
        return ()
    is_seen = [each.is_true or each.is_predicted for each in measured]
    return measured[is_seen.index(True) :]


def statistics(values: Sequence[float] | npt.NDArray[np.floating]) -> Statistics:
    """Return mean, recall and decay of the values (0 to 1) of one measure over the frames of a video, one or more.

    The quarters of the decay share their border frames, as those of the official tool do. (That tool counts frames in
    8 bits, so that its decay means nothing beyond 256 frames; this one's does.)
    """
    series = np.asarray(values, dtype=np.float64)
    borders = np.round(np.linspace(1, len(series), DECAY_PARTS + 1) + 1e-10).astype(int) - 1
    first, last = series[: borders[1] + 1], series[borders[-2] :]
    return Statistics(float(series.mean()), float((series > 0.5).mean()), float(first.mean() - last.mean()))


def boundary(mask: Mask) -> Mask:
    """Return the outline (bool [H, W]) of `mask`: pixels unlike their right, lower or lower right neighbour.

    Beyond the image's border a mask goes on as at the border, so that the border itself is no outline.
    """
    square = np.ones((2, 2), dtype=np.uint8)
    pixels = mask.astype(np.uint8)
    gradient = cv2.morphologyEx(pixels, cv2.MORPH_GRADIENT, square, anchor=(0, 0), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(gradient != 0)


def boundary_agreement(first: Mask, second: Mask) -> float:
    """Return the boundary measure F, 0 to 1, of two bool masks [H, W] (Perazzi et al., 2016; Martin et al., 2004).

    F is the harmonic mean of the shares of each outline that lie within 0.8 % of the image's diagonal, rounded up to
    pixels, of the other. Two masks without an outline agree perfectly: 1.0; if just one has none, F is 0.

    Raises:
        InvalidMaskError: if a mask is not bool [H, W] or the shapes differ.
    """
    if first.dtype != np.bool_ or second.dtype != np.bool_ or first.shape != second.shape or first.ndim != 2:
        raise InvalidMaskError(
            "The boundary measure needs two bool masks [H, W] of one shape, got "
            f"{first.dtype} {first.shape} and {second.dtype} {second.shape}."
        )
    reach = math.ceil(TOLERANCE * math.hypot(*first.shape))
    outlines = boundary(first), boundary(second)
    if not (outlines[0].any() and outlines[1].any()):
        return float(outlines[0].any() == outlines[1].any())
    first_outline, second_outline = _cropped(*outlines)
    first_share = _share_nearby(first_outline, second_outline, reach)
    second_share = _share_nearby(second_outline, first_outline, reach)
    total = first_share + second_share
    return 2 * first_share * second_share / total if total else 0.0


def _cropped(first: Mask, second: Mask) -> tuple[Mask, Mask]:
    """Both outlines inside the box around them: distances between them do not need the rest."""
    left, top, right, bottom = (int(edge) for edge in bounding_box(first | second) or (0, 0, 0, 0))
    return first[top:bottom, left:right], second[top:bottom, left:right]


def _share_nearby(outline: Mask, other: Mask, reach: int) -> float:
    """Return the share of the pixels of `outline` that have a pixel of `other` within `reach` pixels."""
    distances = cv2.distanceTransform((~other).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return float(np.count_nonzero(distances[outline] <= reach) / np.count_nonzero(outline))
