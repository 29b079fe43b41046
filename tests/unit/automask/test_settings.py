"""Settings of automatic masks: Meta's defaults, and refusals that name what is allowed."""

from typing import Any

import numpy as np
import pytest

from masklet.automask.settings import PRESETS, AutomaticMaskSettings
from masklet.errors import InvalidInputError

GRID = [[0.5, 0.5], [0.0, 1.0]]


def test_the_default_is_metas() -> None:
    settings = AutomaticMaskSettings.of_preset()
    assert settings == AutomaticMaskSettings() == AutomaticMaskSettings.of_preset("default")
    assert (settings.pred_iou_thresh, settings.stability_score_thresh, settings.box_nms_thresh) == (0.8, 0.95, 0.7)
    assert (settings.points_per_side, settings.points_per_batch, settings.crop_n_layers) == (32, 64, 0)


def test_options_change_a_preset() -> None:
    thorough = AutomaticMaskSettings.of_preset("thorough", use_m2m=False, crop_n_layers=np.int64(2))
    assert (thorough.points_per_side, thorough.use_m2m, thorough.crop_n_layers) == (64, False, 2)
    assert thorough.stability_score_offset == PRESETS["thorough"]["stability_score_offset"] == 0.7


def test_grids_take_the_place_of_a_number_of_points() -> None:
    settings = AutomaticMaskSettings.of_preset("thorough", point_grids=[np.array(GRID), GRID[:1]])
    assert settings.points_per_side is None
    assert settings.point_grids == (((0.5, 0.5), (0.0, 1.0)), ((0.5, 0.5),))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"points_per_sides": 4}, "no option points_per_sides; allowed: points_per_side, "),
        ({"preset": "fastest"}, "preset must be one of .*'thorough'"),
        ({"preset": {}}, "preset must be one of"),
        ({"points_per_batch": 0}, "points_per_batch must be a whole number from 1"),
        ({"points_per_side": 0}, "points_per_side must be a whole number from 1"),
        ({"points_per_side": 8.0}, "points_per_side must be a whole number"),
        ({"points_per_side": None}, "got neither"),
        ({"pred_iou_thresh": 1.5}, "pred_iou_thresh must be a number from 0 to 1; got 1.5"),
        ({"stability_score_thresh": -0.1}, "stability_score_thresh must be a number from 0 to 1"),
        ({"box_nms_thresh": float("nan")}, "box_nms_thresh must be a number from 0 to 1"),
        ({"crop_nms_thresh": "0.7"}, "crop_nms_thresh must be a number from 0 to 1"),
        ({"crop_overlap_ratio": 2}, "crop_overlap_ratio must be a number from 0 to 1"),
        ({"stability_score_offset": -1}, "stability_score_offset must be a finite number of at least 0"),
        ({"min_mask_region_area": -1}, "min_mask_region_area must be a finite number of at least 0"),
        ({"mask_threshold": float("inf")}, "mask_threshold must be a finite number"),
        ({"crop_n_layers": -1}, "crop_n_layers must be a whole number from 0"),
        ({"crop_n_points_downscale_factor": 0}, "crop_n_points_downscale_factor must be a whole number from 1"),
        ({"output_mode": "rle"}, "output_mode must be one of .*'coco_rle'"),
        ({"point_search": "fine"}, "point_search must be one of .*'coarse_to_fine'"),
        ({"point_search": "coarse_to_fine", "point_grids": [GRID]}, "from coarse to fine needs points_per_side"),
        ({"duplicates": "boxes"}, "duplicates must be one of .*'mask'"),
        ({"containment": "both"}, "containment must be one of .*'parts'"),
        ({"order": None}, "order must be one of .*'position'"),
        ({"layers": 1}, "layers must be one of .*'flat'"),
        ({"max_area": 1.01}, "max_area must be a number from 0 to 1"),
        ({"max_masks": 0}, "max_masks must be a whole number from 1"),
        ({"use_m2m": 1}, "use_m2m must be True or False"),
        ({"multimask_output": None}, "multimask_output must be True or False"),
        (
            {"points_per_side": 8, "crop_n_layers": 2, "crop_n_points_downscale_factor": 4},
            "Crops of layer 2 would have no point: 8 points_per_side divided by 4",
        ),
        ({"point_grids": [GRID], "points_per_side": 4}, "not both; got both"),
        ({"point_grids": [GRID, GRID]}, "one for each of 0 layers of crops; got 2"),
        ({"point_grids": [[[0.5, 1.01]]]}, r"in 0\.\.1 of the crop"),
        ({"point_grids": [[]]}, r"in 0\.\.1 of the crop"),
        ({"point_grids": [[0.5, 0.5]]}, r"in 0\.\.1 of the crop"),
        ({"point_grids": ["x"]}, r"in 0\.\.1 of the crop"),
        ({"point_grids": 4}, "point_grids must be a list of grids"),
    ],
)
def test_what_is_no_setting_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        AutomaticMaskSettings.of_preset(**options)
