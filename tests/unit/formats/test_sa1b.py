import json

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_mask

from masklet.automask.filter_counts import FilterCounts
from masklet.automask.masks import AutomaticMasks
from masklet.automask.settings import AutomaticMaskSettings
from masklet.formats.reading.sa1b_folder import Sa1bFolder
from masklet.formats.sa1b import write_sa1b_json
from masklet.masks.segmentation import Segmentation


@pytest.fixture
def found():
    masks = np.zeros((3, 20, 30), dtype=bool)
    masks[0, 2:9, 3:21], masks[1, 5:7, 4:5] = True, True  # the last is empty
    return AutomaticMasks.of(
        Segmentation(masks, np.array([0.9, 0.625, 0.5], np.float32), (1, 2, 3)),
        stability_scores=[0.75, 0.5, np.nan],
        points=[(4.5, 6.25), (4.5, 6.25), (20, 10)],
        crop_boxes=[(0, 0, 30, 20), (0, 2, 15, 12), (0, 0, 30, 20)],
        counts=FilterCounts(),
        settings=AutomaticMaskSettings(),
    )


def test_the_fields_are_those_of_sa1b(tmp_path, found):
    write_sa1b_json(tmp_path / "sa_7.json", found, "sa_7.jpg", 7)
    content = json.loads((tmp_path / "sa_7.json").read_text(), parse_constant=pytest.fail)  # NaN is no JSON
    assert content["image"] == {"image_id": 7, "file_name": "sa_7.jpg", "height": 20, "width": 30}
    first, second, empty = content["annotations"]
    encoded = first.pop("segmentation")
    assert first == {
        "id": 1,
        "bbox": [3, 2, 18, 7],
        "area": 126,
        "predicted_iou": pytest.approx(0.9),
        "stability_score": 0.75,
        "point_coords": [[4.5, 6.25]],
        "crop_box": [0, 0, 30, 20],
    }
    np.testing.assert_array_equal(coco_mask.toBbox(encoded), first["bbox"])
    assert coco_mask.area(encoded) == 126
    assert second["crop_box"] == [0, 2, 15, 10]
    assert (empty["stability_score"], empty["area"]) == (None, 0)


def test_masks_come_back_from_the_file_beside_its_image(tmp_path, found):
    Image.new("RGB", (30, 20)).save(tmp_path / "sa_7.jpg")
    write_sa1b_json(tmp_path / "sa_7.json", found, "sa_7.jpg", 7)
    (image,) = Sa1bFolder(tmp_path)
    np.testing.assert_array_equal(image.masks, found.masks[:2])  # masks of no pixel are left out
