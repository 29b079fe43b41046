"""J and F of video object segmentation: frame by frame, and their mean, recall and decay over a video.

The measures are those of DAVIS (Perazzi et al., 2016), the statistics those of its official tool of 2017, by which
published results are given: https://github.com/davisvideochallenge/davis2017-evaluation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Self, TypeVar

import numpy as np
import numpy.typing as npt

from masklet.masks.boundaries import boundary_agreement
from masklet.masks.geometry import Mask
from masklet.masks.overlap import intersection_over_union

DECAY_PARTS = 4
FEWEST_FRAMES = 3  # the first and the last never count

Frame = TypeVar("Frame")
"""The number of a frame, or what was measured on it."""


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
