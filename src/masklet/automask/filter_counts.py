"""How many masks each filter left, so that nobody has to guess why so few came out."""

from dataclasses import dataclass, fields, replace

from masklet.automask.settings import AutomaticMaskSettings


@dataclass(frozen=True)
class FilterCounts:
    """How many masks were left after each step, of all crops together; None where a step is off.

    Attributes:
        points: decoded.
        candidates: masks that the network gave for them.
        iou: above the threshold of predicted IoU.
        stability: stable.
        edge: not cut off by their crop.
        max_area: not too large.
        nms: left by suppression within crops.
        crop_nms: left by suppression between crops.
        regions: left once small regions are cleaned up, which makes some masks alike.
        containment: left of nested masks.
        max_masks: the best ones.
        layers: with pixels of their own in a flat layer.
    """

    points: int = 0
    candidates: int = 0
    iou: int | None = None
    stability: int | None = None
    edge: int | None = None
    max_area: int | None = None
    nms: int | None = None
    crop_nms: int | None = None
    regions: int | None = None
    containment: int | None = None
    max_masks: int | None = None
    layers: int | None = None

    def plus(self, **more: int) -> "FilterCounts":
        """Return the counts with some masks more after some steps."""
        return replace(self, **{name: (getattr(self, name) or 0) + count for name, count in more.items()})

    def __add__(self, other: "FilterCounts") -> "FilterCounts":
        counts = {each.name: getattr(other, each.name) for each in fields(other)}
        return self.plus(**{name: count for name, count in counts.items() if count is not None})

    def summary(self, settings: AutomaticMaskSettings) -> str:
        """Return one line of what was left where.

        Example:
            >>> from masklet import AutomaticMaskSettings
            >>> from masklet.automask.filter_counts import FilterCounts
            >>> FilterCounts(points=64, candidates=192, iou=5, stability=3, nms=3).summary(AutomaticMaskSettings())
            '64 points, 192 candidates, 5 above IoU 0.8, 3 stable, 3 after NMS'
        """
        steps = {
            "points": "points",
            "candidates": "candidates",
            "iou": f"above IoU {settings.pred_iou_thresh:g}",
            "stability": "stable",
            "edge": "not cut off by crops",
            "max_area": f"of at most {settings.max_area:.0%} of the image",
            "nms": "after NMS",
            "crop_nms": "after NMS between crops",
            "regions": "after the clean-up of small regions",
            "containment": f"{settings.containment} of nested masks",
            "max_masks": "best ones",
            "layers": "in a flat layer",
        }
        counts = ((getattr(self, name), what) for name, what in steps.items())
        return ", ".join(f"{count:,} {what}" for count, what in counts if count is not None)
