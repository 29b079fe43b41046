"""J and F of video object segmentation: frame by frame, and their mean, recall and decay over a video.

The measures are those of DAVIS (Perazzi et al., 2016) and the statistics those of its official tool of 2017, which the
results of the field are given in: https://github.com/davisvideochallenge/davis2017-evaluation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from masklet.errors import InvalidInputError
from masklet.masks.boundaries import boundary_agreement
from masklet.masks.geometry import Mask
from masklet.masks.overlap import intersection_over_union

DECAY_PARTS = 4


class CountingRule(StrEnum):
    """Which frames of an object count; the first and the last frame of a video count in neither.

    DAVIS: all; where neither truth nor prediction has the object, both J and F are 1.
    APPEARANCE: those from the object's first appearance in truth or prediction on (SA-V and MOSE).
    """

    DAVIS = "davis"
    APPEARANCE = "appearance"


@dataclass(frozen=True)
class Statistics:
    """One measure over the frames of a video: its mean, recall and decay, in 0 to 1 (decay in -1 to 1).

    `recall` is the share of the frames above 0.5; `decay` is the mean of the first quarter less that of the last.
    """

    mean: float
    recall: float
    decay: float


@dataclass(frozen=True)
class ObjectScores:
    """The region measure J (intersection over union) and the boundary measure F of one object."""

    object_id: int
    j: Statistics
    f: Statistics


class ObjectSeries:
    """J and F of one object, gathered frame by frame."""

    def __init__(self, object_id: int) -> None:
        self.object_id = object_id
        self._measures: list[tuple[float, float]] = []
        self._is_seen: list[bool] = []

    def add(self, truth: Mask, predicted: Mask) -> None:
        """Measure the next frame; both masks are bool [H, W]."""
        self._measures.append((intersection_over_union(truth, predicted), boundary_agreement(truth, predicted)))
        self._is_seen.append(bool(truth.any() or predicted.any()))

    def scores(self, rule: CountingRule = CountingRule.DAVIS) -> ObjectScores | None:
        """Return the scores over the frames that count, or None where none does.

        InvalidInputError if there are fewer than three frames, as the first and the last never count.
        """
        if len(self._measures) < 3:
            raise InvalidInputError(f"Three frames are the least that can be measured; got {len(self._measures)}.")
        counted = self._measures[1:-1]
        if rule is CountingRule.APPEARANCE:
            is_seen = self._is_seen[1:-1]
            counted = counted[is_seen.index(True) :] if any(is_seen) else []
        if not counted:
            return None
        region, outline = np.array(counted).T
        return ObjectScores(self.object_id, statistics(region), statistics(outline))


def statistics(values: Sequence[float] | npt.NDArray[np.floating]) -> Statistics:
    """Return mean, recall and decay of the values (0 to 1) of one measure over the frames of a video, one or more.

    The quarters of the decay share their border frames, as those of the official tool do. (That tool counts frames in
    8 bits, so that its decay means nothing beyond 256 frames; this one's does.)
    """
    series = np.asarray(values, dtype=np.float64)
    borders = np.round(np.linspace(1, len(series), DECAY_PARTS + 1) + 1e-10).astype(int) - 1
    first, last = series[: borders[1] + 1], series[borders[-2] :]
    return Statistics(float(series.mean()), float((series > 0.5).mean()), float(first.mean() - last.mean()))


def mean_statistics(of_objects: Sequence[Statistics]) -> Statistics:
    """Return the plain mean over objects."""
    rows = np.array([(each.mean, each.recall, each.decay) for each in of_objects])
    return Statistics(*(float(value) for value in rows.mean(axis=0)))
