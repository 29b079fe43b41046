"""The masks of everything in an image, each with where it comes from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self, SupportsIndex

import numpy as np
import numpy.typing as npt

from masklet.automask.filter_counts import FilterCounts
from masklet.automask.settings import OUTPUT_MODES, AutomaticMaskSettings
from masklet.errors import InvalidInputError
from masklet.json_files import one_of, shown
from masklet.masks.run_length import counts_of
from masklet.masks.segmentation import Floats, Segmentation

Record = dict[str, Any]


@dataclass(frozen=True, eq=False, init=False, repr=False)
class AutomaticMasks(Segmentation):
    """A `Segmentation` of N masks that were found without prompts of the caller; `scores` are predicted IoUs.

    Attributes:
        stability_scores: float32 [N], 0..1: of the masks as they are cleaned up, before they are made flat; NaN of an
            empty one.
        points: float64 [N, 2], (x, y) in pixels: the prompt of each mask.
        crop_boxes: int64 [N, 4], (x1, y1, x2, y2): the crop that each was found in.
        counts: how many masks each filter left.
        settings: what they were made with.

    Example:
        >>> from masklet import AutomaticMaskGenerator
        >>> found = AutomaticMaskGenerator.from_pretrained(points_per_side=4).generate("assets/truck.jpg")
        >>> found.records("coco_rle")[0]["segmentation"]["size"]
        [683, 1024]
    """

    stability_scores: Floats
    points: npt.NDArray[np.float64]
    crop_boxes: npt.NDArray[np.int64]
    counts: FilterCounts
    settings: AutomaticMaskSettings

    def _hold(self, encoded: Any, size: Any, scores: Any, object_ids: Any, logits: Any) -> None:
        """Set all fields; where masks come from is not known, unless `of` is given it."""
        super()._hold(encoded, size, scores, object_ids, logits)
        nowhere = np.full(len(self), np.nan)
        whole = [(0, 0, self.width, self.height)] * len(self)
        self._come_from(nowhere, np.stack([nowhere] * 2, axis=1), whole, FilterCounts(), AutomaticMaskSettings())

    def _come_from(
        self,
        stability_scores: npt.ArrayLike,
        points: npt.ArrayLike,
        crop_boxes: npt.ArrayLike,
        counts: FilterCounts,
        settings: AutomaticMaskSettings,
    ) -> None:
        origins = {
            "stability_scores": np.asarray(stability_scores, np.float32).reshape(len(self)),
            "points": np.asarray(points, np.float64).reshape(len(self), 2),
            "crop_boxes": np.asarray(crop_boxes, np.int64).reshape(len(self), 4),
            "counts": counts,
            "settings": settings,
        }
        for name, value in origins.items():
            object.__setattr__(self, name, value)

    @classmethod
    def of(
        cls,
        found: Segmentation,
        *,
        stability_scores: npt.ArrayLike,
        points: npt.ArrayLike,
        crop_boxes: npt.ArrayLike,
        counts: FilterCounts,
        settings: AutomaticMaskSettings,
    ) -> Self:
        """Return the masks of a segmentation with where they come from; see the attributes."""
        masks = cls.__new__(cls)
        for field in fields(Segmentation):
            object.__setattr__(masks, field.name, getattr(found, field.name))
        masks._come_from(stability_scores, points, crop_boxes, counts, settings)
        return masks

    def taken(self, indices: npt.ArrayLike, object_ids: Iterable[SupportsIndex] | None = None) -> Self:
        """Return masks by their places, as `Segmentation.taken` does, with where they come from."""
        places = np.asarray(indices).reshape(-1)
        found = super().taken(places, object_ids)
        places = places.astype(np.int64)
        return type(self).of(
            found,
            stability_scores=self.stability_scores[places],
            points=self.points[places],
            crop_boxes=self.crop_boxes[places],
            counts=self.counts,
            settings=self.settings,
        )

    def changed(
        self,
        masks: Segmentation | None = None,
        *,
        stability_scores: Floats | None = None,
        counts: FilterCounts | None = None,
    ) -> Self:
        """Return them with other masks, one for each of these, with other stability or other counts."""
        return type(self).of(
            self if masks is None else masks,
            stability_scores=self.stability_scores if stability_scores is None else stability_scores,
            points=self.points,
            crop_boxes=self.crop_boxes,
            counts=self.counts if counts is None else counts,
            settings=self.settings,
        )

    @classmethod
    def joined(cls, parts: Sequence[Segmentation]) -> Self:
        """Return the masks of one or more `AutomaticMasks` of one image, part by part; their counts are summed."""
        automatic = [part for part in parts if isinstance(part, AutomaticMasks)]
        if len(automatic) != len(parts):
            raise InvalidInputError(f"AutomaticMasks are joined with others of their kind; got {shown(parts)}.")
        found = super().joined(parts)
        return cls.of(
            found,
            stability_scores=np.concatenate([part.stability_scores for part in automatic]),
            points=np.concatenate([part.points for part in automatic]),
            crop_boxes=np.concatenate([part.crop_boxes for part in automatic]),
            counts=sum((part.counts for part in automatic), FilterCounts()),
            settings=automatic[0].settings,
        )

    def summary(self) -> str:
        """Return one line of how many masks each filter left: "192 candidates, 5 above IoU 0.5, 3 stable, ..."."""
        return self.counts.summary(self.settings)

    def records(self, output_mode: str | None = None) -> list[Record]:
        """Return a dictionary a mask, as Meta's generator does.

        `segmentation` is bool [H, W], or run lengths; `area` its pixels; `bbox` [x, y, width, height] between its first
        and last columns and rows, so that a mask of one pixel has no width (`boxes` are pixel edges); `predicted_iou`,
        `stability_score`; `point_coords` [[x, y]]; `crop_box` [x, y, width, height].

        Args:
            output_mode: "binary_mask", "uncompressed_rle" (`counts` is a list) or "coco_rle" (text); None: as the
                generator was asked for.

        Raises:
            InvalidInputError: for another one.
        """
        mode = self.settings.output_mode if output_mode is None else output_mode
        one_of(mode, "output_mode", OUTPUT_MODES)
        areas, boxes = self.areas.tolist(), self.boxes.tolist()
        return [
            {
                "segmentation": self._in_form(place, mode),
                "area": areas[place],
                "bbox": _inclusive(boxes[place]),
                "predicted_iou": float(self.scores[place]),
                "point_coords": [self.points[place].tolist()],
                "stability_score": float(self.stability_scores[place]),
                "crop_box": _width_and_height(self.crop_boxes[place].tolist()),
            }
            for place in range(len(self))
        ]

    def _in_form(self, place: int, mode: str) -> Any:
        if mode == "binary_mask":
            return self.mask(place)
        run_length = self.run_lengths[place]
        if mode == "coco_rle":
            return dict(run_length)
        return {"size": list(self.size), "counts": counts_of(run_length, *self.size).tolist()}


def _width_and_height(box: list[Any]) -> list[Any]:
    x1, y1, x2, y2 = box
    return [x1, y1, x2 - x1, y2 - y1]


def _inclusive(box: list[float]) -> list[float]:
    """Return the box [x, y, width, height] between the first and the last pixels of a box along pixel edges."""
    x, y, width, height = _width_and_height(box)
    return [x, y, max(width - 1, 0.0), max(height - 1, 0.0)]
