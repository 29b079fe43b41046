"""The results of the evaluation on images."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from masklet.evaluation.measured_item import MeasuredItem, mean_values
from masklet.evaluation.reporting.report import Curve, Level, Report, number_of

BOX = "box"


@dataclass(frozen=True)
class ImageReport(Report):
    """What one predictor reached on each dataset: the IoU of every prompt setting ("1 click", ..., "box")."""

    title: ClassVar[str] = "Mean IoU on images"
    item_kind: ClassVar[str] = "images"
    x_label: ClassVar[str] = "clicks"
    y_label: ClassVar[str] = "mean IoU, %"

    def rows(self) -> list[tuple[str, Sequence[MeasuredItem]]]:
        """Return one row a dataset: images are too many."""
        return list(self.datasets.items())

    def compared(self) -> dict[str, str]:
        """Return all settings, by headings as narrow as their numbers: "1", "3", "5" are clicks."""
        return {each.removesuffix("s").removesuffix(" click"): each for each in self.means}

    def curves(self) -> list[Curve | Level]:
        """Return the mean IoU over the number of clicks, if there are any, and from a box as a level."""
        counts = tuple(int(each.split()[0]) for each in self.means if each != BOX)
        of_clicks = Curve(self.predictor, counts, tuple(self.means[number_of(each, "click")] for each in counts))
        of_boxes = [Level(f"{self.predictor}, box", self.means[BOX])] if BOX in self.means else []
        return [*([of_clicks] if counts else []), *of_boxes]

    def to_dict(self) -> dict[str, Any]:
        """Return predictor, datasets with their scores, their mean and its interval; all 0 to 1.

        What has a new name is there under the earlier one as well: `domains`, each with `domain` and `pictures`.
        """
        datasets = [
            {
                "dataset": name,
                "domain": name,
                "images": len(items),
                "pictures": len(items),
                "objects": sum(len(item.object_ids) for item in items),
                "mean_iou": mean_values(items),
            }
            for name, items in self.datasets.items()
        ]
        return {
            "predictor": self.predictor,
            "datasets": datasets,
            "domains": datasets,
            "mean_iou": self.means,
            "intervals": self.intervals,
        }
