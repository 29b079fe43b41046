"""The results of the evaluation of automatic masks of images."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from masklet.evaluation.everything.recall import LIMITS, recall_name
from masklet.evaluation.measured_item import MeasuredItem, mean_amounts, mean_values
from masklet.evaluation.reporting.report import Curve, Report, percent

BEST_IOU = "best IoU"
MASKS, COVERED, DUPLICATES = "masks", "covered", "duplicates"
MOST = LIMITS[-1]


@dataclass(frozen=True)
class EverythingImageReport(Report):
    """What automatic masks reached on each dataset: average recall of all objects and of groups, and amounts."""

    title: ClassVar[str] = f"Average recall of automatic masks (of sizes, wholes and parts: @{MOST})"
    item_kind: ClassVar[str] = "images"
    x_label: ClassVar[str] = "masks an image, the best first"
    y_label: ClassVar[str] = "average recall, %"

    def rows(self) -> list[tuple[str, Sequence[MeasuredItem]]]:
        """Return one row a dataset: images are too many."""
        return list(self.datasets.items())

    def shown(self) -> dict[str, str]:
        """Return average recall by the number of masks, and of the groups with the most masks."""
        groups = ("small", "medium", "large", "whole", "part")
        limits = {f"AR\n@{limit}": recall_name(limit) for limit in LIMITS}
        return limits | {each: recall_name(MOST, each) for each in groups if recall_name(MOST, each) in self.means}

    def amounts_shown(self) -> dict[str, Callable[[float], str]]:
        """Return the masks and duplicates an image, and the share of its pixels that a mask covers."""
        return {MASKS: "{:.1f}".format, DUPLICATES: "{:.1f}".format, COVERED: percent}

    def compared(self) -> dict[str, str]:
        """Return average recall by the number of masks, and the best IoU."""
        return {f"@{limit}": recall_name(limit) for limit in LIMITS} | {BEST_IOU: BEST_IOU}

    def curves(self) -> list[Curve]:
        """Return average recall over the number of masks."""
        return [Curve(self.predictor, LIMITS, tuple(self.means[recall_name(limit)] for limit in LIMITS))]

    def to_dict(self) -> dict[str, Any]:
        """Return predictor, datasets with their scores, their means and intervals; scores and shares are 0 to 1."""
        datasets = [
            {
                "dataset": name,
                "images": len(items),
                "objects": sum(len(item.object_ids) for item in items),
                "average_recall": mean_values(items),
                "amounts": mean_amounts(items),
            }
            for name, items in self.datasets.items()
        ]
        return {
            "predictor": self.predictor,
            "datasets": datasets,
            "average_recall": self.means,
            "intervals": self.intervals,
            "amounts": self.amounts,
        }
