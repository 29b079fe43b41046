"""What automatic masks are made with: how many points, and which of their masks stay."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, Literal, Self

import numpy as np

from masklet.errors import InvalidInputError
from masklet.json_files import is_finite_number, one_of, shown
from masklet.processing.saved_settings import automatic_mask_options
from masklet.whole_numbers import as_whole_number

Grid = tuple[tuple[float, float], ...]

OUTPUT_MODES = ("binary_mask", "uncompressed_rle", "coco_rle")
_MOST_POINTS_PER_SIDE = 1024
_MOST_LAYERS = 6  # 5461 crops
_SHARES = (
    "pred_iou_thresh",
    "stability_score_thresh",
    "box_nms_thresh",
    "crop_nms_thresh",
    "crop_overlap_ratio",
    "max_area",
)
_SWITCHES = ("use_m2m", "multimask_output")
_CHOICES: Mapping[str, tuple[str | None, ...]] = {
    "output_mode": OUTPUT_MODES,
    "duplicates": ("box", "mask"),
    "containment": (None, "wholes", "parts"),
    "point_search": ("full", "coarse_to_fine"),
    "order": ("score", "quality", "area", "position"),
    "layers": ("all", "flat"),
}

PRESETS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "default": {},
        "thorough": {
            "points_per_side": 64,
            "points_per_batch": 128,
            "pred_iou_thresh": 0.7,
            "stability_score_thresh": 0.92,
            "stability_score_offset": 0.7,
            "crop_n_layers": 1,
            "crop_n_points_downscale_factor": 2,
            "box_nms_thresh": 0.7,
            "min_mask_region_area": 25,
            "use_m2m": True,
        },
        "bundled": {},
        "fast": {"point_search": "coarse_to_fine"},
    }
)
"""Options by name: those of Meta's released checkpoints; the thorough ones that Meta's notebook shows beside; those of
the bundled model (in its own file); and what changes the checkpoint's own options to be faster, with other results."""


@dataclass(frozen=True, kw_only=True)
class AutomaticMaskSettings:
    """How automatic masks are made, under the names and with the defaults of Meta's generator.

    What Meta does not have, from `point_search` on, is off by default.

    Attributes:
        points_per_side: a grid of so many points along either side of the image; None where `point_grids` are given.
        points_per_batch: at most so many points are decoded together. The masks do not depend on it.
        pred_iou_thresh: masks stay whose predicted IoU is above it, 0..1; 0 keeps all.
        stability_score_thresh: masks stay whose stability is at least this, 0..1; 0 keeps all. Stability is how many
            pixels have a logit above `mask_threshold` + `stability_score_offset`, per pixel above `mask_threshold` -
            `stability_score_offset`.
        stability_score_offset: in logits.
        mask_threshold: the logit above which a pixel belongs to a mask.
        box_nms_thresh: of two masks of a crop whose boxes have a higher intersection over union, the one with the lower
            predicted IoU is dropped.
        crop_n_layers: so many layers of crops are looked at beside the whole image, 4, 16, ... crops each.
        crop_nms_thresh: as `box_nms_thresh`, between crops: the mask of the smaller crop stays.
        crop_overlap_ratio: by how much crops of the first layer overlap, as a share of the image's shorter side; half
            of it in the second layer, and so on.
        crop_n_points_downscale_factor: in each layer of crops the points along a side are divided by it once more.
        point_grids: instead of `points_per_side`, the points of each layer, [n, 2] (x, y) in 0..1 of the crop.
        min_mask_region_area: holes and islands of a mask below so many pixels of the image are filled and removed; 0
            leaves all.
        output_mode: the form of masks in `AutomaticMasks.records`: "binary_mask", "uncompressed_rle" or "coco_rle".
        use_m2m: refine each mask once: it goes back to the decoder as a prompt, with its point.
        multimask_output: three masks a point; False: one.
        point_search: decode the "full" grid, or ("coarse_to_fine", not exact) every second point of it first, and of
            the others those whose neighbours lead to different masks.
        duplicates: what is compared where masks suppress each other: their boxes, as Meta does, or ("mask") the masks,
            so that a speck far away saves no duplicate, and a thing and its part with much the same box both stay.
        containment: of nested masks keep the "wholes" or the "parts"; None: both.
        max_area: masks that cover more than this share of the image are dropped, 0..1.
        order: by "score", the predicted IoU (with crops: masks of smaller crops first), by "quality", the predicted IoU
            times stability, by "area" from the largest, or by "position" of their boxes from top to bottom.
        layers: "all" masks as they overlap, or a "flat" one, in which each pixel belongs to the smallest of them.
        max_masks: at most so many, those with the highest predicted IoU, or by the order "quality" the best; None: all.

    Raises:
        InvalidInputError: for values that are none of these.

    Example:
        >>> from masklet import AutomaticMaskSettings
        >>> settings = AutomaticMaskSettings.of_preset("thorough", crop_n_layers=0)
        >>> settings.points_per_side, settings.crop_n_layers
        (64, 0)
    """

    points_per_side: int | None = 32
    points_per_batch: int = 64
    pred_iou_thresh: float = 0.8
    stability_score_thresh: float = 0.95
    stability_score_offset: float = 1.0
    mask_threshold: float = 0.0
    box_nms_thresh: float = 0.7
    crop_n_layers: int = 0
    crop_nms_thresh: float = 0.7
    crop_overlap_ratio: float = 512 / 1500
    crop_n_points_downscale_factor: int = 1
    point_grids: tuple[Grid, ...] | None = None
    min_mask_region_area: float = 0
    output_mode: str = "binary_mask"
    use_m2m: bool = False
    multimask_output: bool = True
    point_search: str = "full"
    duplicates: str = "box"
    containment: Literal["wholes", "parts"] | None = None
    max_area: float = 1.0
    order: str = "score"
    layers: str = "all"
    max_masks: int | None = None

    def __post_init__(self) -> None:
        for name in _SHARES:
            if not is_finite_number(value := getattr(self, name)) or not 0 <= value <= 1:
                raise InvalidInputError(f"{name} must be a number from 0 to 1; got {shown(value)}.")
        for name in _SWITCHES:
            if not isinstance(value := getattr(self, name), bool):
                raise InvalidInputError(f"{name} must be True or False; got {shown(value)}.")
        if not is_finite_number(self.mask_threshold):
            raise InvalidInputError(f"mask_threshold must be a finite number; got {shown(self.mask_threshold)}.")
        for name in ("stability_score_offset", "min_mask_region_area"):
            if not is_finite_number(value := getattr(self, name)) or value < 0:
                raise InvalidInputError(f"{name} must be a finite number of at least 0; got {shown(value)}.")
        for name, choices in _CHOICES.items():
            one_of(getattr(self, name), name, choices)
        self._set_whole_numbers()
        self._set_grids()

    def _set_whole_numbers(self) -> None:
        bounds: dict[str, tuple[int, int | None]] = {
            "points_per_batch": (1, None),
            "crop_n_layers": (0, _MOST_LAYERS),
            "crop_n_points_downscale_factor": (1, None),
        }
        if self.max_masks is not None:
            bounds["max_masks"] = (1, None)
        for name, (least, most) in bounds.items():
            object.__setattr__(self, name, as_whole_number(getattr(self, name), name, least, most))

    def _set_grids(self) -> None:
        """Check that there are points for every layer, of one of the two kinds."""
        if (self.points_per_side is None) == (self.point_grids is None):
            given = "neither" if self.points_per_side is None else "both"
            raise InvalidInputError(f"Points are given by points_per_side or point_grids, not both; got {given}.")
        if self.points_per_side is not None:
            side = as_whole_number(self.points_per_side, "points_per_side", 1, _MOST_POINTS_PER_SIDE)
            object.__setattr__(self, "points_per_side", side)
            self._check_side_of_last_layer(side)
            return
        if self.point_search != "full":
            raise InvalidInputError("A search from coarse to fine needs points_per_side; got point_grids.")
        if not isinstance(self.point_grids, Iterable) or isinstance(self.point_grids, str):
            raise InvalidInputError(f"point_grids must be a list of grids; got {shown(self.point_grids)}.")
        grids = tuple(_checked_grid(grid) for grid in self.point_grids)
        if len(grids) != self.crop_n_layers + 1:
            raise InvalidInputError(
                f"point_grids must have a grid for the image and one for each of {self.crop_n_layers} layers of crops; "
                f"got {len(grids)}."
            )
        object.__setattr__(self, "point_grids", grids)

    def _check_side_of_last_layer(self, side: int) -> None:
        if self.points_on_a_side(side, self.crop_n_layers) < 1:
            raise InvalidInputError(
                f"Crops of layer {self.crop_n_layers} would have no point: {side} points_per_side divided by "
                f"{self.crop_n_points_downscale_factor} (crop_n_points_downscale_factor) {self.crop_n_layers} times."
            )

    def points_on_a_side(self, side: int, layer: int) -> int:
        """Return how many points a side has in a layer of crops, 0 being the whole image, of `side` points there."""
        return int(side / self.crop_n_points_downscale_factor**layer)

    @classmethod
    def of_preset(cls, preset: str | None = None, own: Mapping[str, Any] | None = None, **options: Any) -> Self:
        """Return the settings of a preset with some options changed.

        Args:
            preset: one of `PRESETS`; None: the checkpoint's own options, which "fast" changes, too.
            own: the checkpoint's, `automatic_masks` of its processor; None: those of "default".
            **options: names of fields. `point_grids` take the place of `points_per_side`.

        Raises:
            InvalidInputError: for an unknown preset, unknown options and invalid values.
        """
        if preset is not None:
            one_of(preset, "preset", PRESETS)
        values = dict(own or {}) if preset in (None, "fast") else {}
        if preset == "bundled":
            values = automatic_mask_options(None)
        values |= PRESETS[preset or "default"]
        if options.get("point_grids") is not None:
            values["points_per_side"] = None
        values |= options
        known = [field.name for field in fields(cls)]
        if unknown := [name for name in values if name not in known]:
            raise InvalidInputError(
                f"Automatic masks have no option {', '.join(unknown)}; allowed: {', '.join(known)}."
            )
        return cls(**values)


def _checked_grid(grid: object) -> Grid:
    """Return points of a grid as tuples; InvalidInputError unless they are [n, 2] in 0..1, and one at least."""
    try:
        points = np.asarray(grid, dtype=np.float64)
    except (TypeError, ValueError):
        points = np.empty(0)
    is_in = points.ndim == 2 and points.shape[1] == 2 and len(points) and bool(((points >= 0) & (points <= 1)).all())
    if not is_in:
        raise InvalidInputError(f"A grid of points is [n, 2] (x, y), in 0..1 of the crop; got {shown(grid)}.")
    return tuple((float(x), float(y)) for x, y in points)
