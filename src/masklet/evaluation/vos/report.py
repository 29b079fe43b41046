"""The results of tracking objects through videos from their first masks."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np

from masklet.evaluation.reporting.report import Curve, Report
from masklet.evaluation.vos.scores import CountingRule, FrameScores, statistics

J_AND_F = "J&F-Mean"
TENTHS = 10
SHOWN = {
    "J&F": J_AND_F,
    "J": "J-Mean",
    "F": "F-Mean",
    "J\nrecall": "J-Recall",
    "F\nrecall": "F-Recall",
    "J\ndecay": "J-Decay",
    "F\ndecay": "F-Decay",
}


def vos_values(frames: Sequence[FrameScores]) -> dict[str, float]:
    """Return the measures of one object over the frames that count, one or more.

    The seven that DAVIS' tool gives, by its names, and J&F in each tenth of the video.
    """
    measures = {"J": np.array([each.j for each in frames]), "F": np.array([each.f for each in frames])}
    values = {J_AND_F: float((measures["J"].mean() + measures["F"].mean()) / 2)}
    for name, series in measures.items():
        values |= {f"{name}-{which.capitalize()}": value for which, value in asdict(statistics(series)).items()}
    both = np.array([each.j_and_f for each in frames])
    for tenth in range(TENTHS):
        first = tenth * len(both) // TENTHS
        past = max(first + 1, (tenth + 1) * len(both) // TENTHS)  # short videos have frames in several tenths
        values[_in_tenth(tenth)] = float(both[first:past].mean())
    return values


def _in_tenth(tenth: int) -> str:
    return f"J&F-Tenth-{tenth + 1}"


@dataclass(frozen=True)
class VosReport(Report):
    """What one predictor reached on each video; the means are over all objects, as DAVIS ranks by."""

    title: ClassVar[str] = "Video object segmentation from first masks"
    item_kind: ClassVar[str] = "videos"
    x_label: ClassVar[str] = "part of the video, %"
    y_label: ClassVar[str] = "J&F, %"

    rule: CountingRule = CountingRule.DAVIS

    def shown(self) -> dict[str, str]:
        """Return the measures of DAVIS' tool by shorter headings."""
        return SHOWN

    def compared(self) -> dict[str, str]:
        """Return the three means."""
        return {heading: SHOWN[heading] for heading in ("J&F", "J", "F")}

    def curves(self) -> list[Curve]:
        """Return J&F over the course of the videos."""
        tenths = range(TENTHS)
        x = tuple((tenth + 0.5) * 100 / TENTHS for tenth in tenths)
        return [Curve(self.predictor, x, tuple(self.means[_in_tenth(tenth)] for tenth in tenths))]

    def to_dict(self) -> dict[str, Any]:
        """Return predictor, rule, the overall scores with their intervals, and those of every video and object."""
        sequences = [
            {
                "sequence": item.name,
                "frames": item.frames,
                "objects": [
                    {"object_id": object_id, "j": _measure(item.values, "J", at), "f": _measure(item.values, "F", at)}
                    for at, object_id in enumerate(item.object_ids)
                ],
                "remarks": list(item.remarks),
            }
            for item in self.items
        ]
        return {
            "predictor": self.predictor,
            "rule": self.rule,
            "sequences": sequences,
            "scores": {each: self.means[each] for each in SHOWN.values()},
            "intervals": {each: self.intervals[each] for each in SHOWN.values()},
        }


def _measure(values: dict[str, tuple[float, ...]], name: str, at: int) -> dict[str, float]:
    return {which: values[f"{name}-{which.capitalize()}"][at] for which in ("mean", "recall", "decay")}
