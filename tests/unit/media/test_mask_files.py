import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from masklet.errors import InvalidInputError
from masklet.masks.run_length import decode_run_length
from masklet.masks.segmentation import Segmentation
from masklet.media.drawing import object_colour
from masklet.media.mask_files import (
    segmentation_from,
    write_layered_label_map,
    write_mask_json,
    write_mask_png,
)
from masklet.media.mask_images import read_mask_image


def segmentation_of(count, ids=None, scores=None):
    masks = np.zeros((count, 5, 8), dtype=bool)
    for index in range(count):
        masks[index, 1:4, index : index + 3] = True
    return Segmentation(masks, np.array(scores or [0.5] * count), ids or tuple(range(1, count + 1)))


def test_one_object_is_grey(tmp_path):
    segmentation = segmentation_of(1, ids=(9,))
    write_mask_png(tmp_path / "mask.png", segmentation)
    with Image.open(tmp_path / "mask.png") as image:
        assert image.mode == "L"
        np.testing.assert_array_equal(np.asarray(image), 255 * segmentation.masks[0].astype(np.uint8))
    np.testing.assert_array_equal(read_mask_image(tmp_path / "mask.png").mask_of(), segmentation.masks[0])


def test_several_objects_are_a_palette_of_ids_with_the_best_on_top(tmp_path):
    segmentation = segmentation_of(2, ids=(3, 200), scores=[0.9, 0.2])
    write_mask_png(tmp_path / "mask.png", segmentation)
    with Image.open(tmp_path / "mask.png") as image:
        assert image.mode == "P"
        labels = np.asarray(image)
        assert image.convert("RGB").getpixel((1, 2)) == object_colour(3)
    np.testing.assert_array_equal(labels == 3, segmentation.masks[0])
    np.testing.assert_array_equal(labels == 200, segmentation.masks[1] & ~segmentation.masks[0])
    np.testing.assert_array_equal(read_mask_image(tmp_path / "mask.png").mask_of(3), segmentation.masks[0])
    np.testing.assert_array_equal(read_mask_image(tmp_path / "mask.png").mask_of(), segmentation.masks.any(0))


def test_no_objects_are_an_all_background_file(tmp_path):
    write_mask_png(tmp_path / "mask.png", Segmentation(np.zeros((0, 5, 8), dtype=bool), np.zeros(0), ()))
    np.testing.assert_array_equal(read_mask_image(tmp_path / "mask.png").mask_of(), np.zeros((5, 8), dtype=bool))


def test_ids_that_label_maps_do_not_hold(tmp_path):
    with pytest.raises(InvalidInputError, match="object ids up to 65535; got 65536"):
        write_mask_png(tmp_path / "mask.png", segmentation_of(2, ids=(1, 65536)))
    assert list(tmp_path.iterdir()) == []


def test_json_fields(tmp_path):
    segmentation = segmentation_of(2, ids=(3, 7), scores=[0.25, 0.75])
    write_mask_json(tmp_path / "masks.json", segmentation, "photo.jpg")
    content = json.loads((tmp_path / "masks.json").read_text())
    assert content["image"] == {"file_name": "photo.jpg", "height": 5, "width": 8}
    second = content["annotations"][1]
    assert (second["id"], second["bbox"], second["area"], second["predicted_iou"]) == (7, [1, 1, 3, 3], 9, 0.75)
    np.testing.assert_array_equal(decode_run_length(second["segmentation"]), segmentation.masks[1])


OBJECT = {"id": 2, "segmentation": {"size": [5, 8], "counts": [0, 40]}, "predicted_iou": 0.5}


@pytest.mark.parametrize(
    ("annotations", "message"),
    [
        ({}, "Expected a list of annotations"),
        ([3], "An annotation is an object with an id; got 3"),
        ([OBJECT | {"id": None}], "The id of an object must be a whole number"),
        ([OBJECT | {"id": 0}], "The id of an object must be a whole number"),
        ([OBJECT, OBJECT], "different object ids"),
        ([OBJECT | {"predicted_iou": None}], "The predicted_iou of object 2 is a finite number; got None"),
        ([OBJECT | {"predicted_iou": float("nan")}], "The predicted_iou of object 2"),
        ([OBJECT | {"predicted_iou": 10**400}], "The predicted_iou of object 2"),
        ([{"id": 2, "predicted_iou": 0.5}], "The mask of object 2: A polygon"),
        ([OBJECT | {"segmentation": {"size": [5, 8], "counts": "`0"}}], "The mask of object 2: The counts sum to 16"),
        ([OBJECT | {"segmentation": {"size": [5, 8], "counts": "`"}}], "The mask of object 2: .*cut off"),
        ([OBJECT | {"segmentation": {"size": [8, 5], "counts": [40]}}], r"The mask of object 2: .*\[8, 5\].*\[5, 8\]"),
    ],
)
def test_annotations_of_something_else(annotations, message):
    assert segmentation_from([OBJECT], 5, 8).masks.all()
    with pytest.raises(InvalidInputError, match=message):
        segmentation_from(annotations, 5, 8)


def test_a_failed_write_leaves_nothing(tmp_path, monkeypatch):
    def full_disk(self, data):
        with self.open("wb") as file:
            file.write(data[:4])
        raise OSError("No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    with pytest.raises(OSError, match="No space"):
        write_mask_png(tmp_path / "mask.png", segmentation_of(1))
    assert list(tmp_path.iterdir()) == []


def hundreds(count=300):
    """One pixel for each of so many objects."""
    masks = np.zeros((count, 20, 25), dtype=bool)
    masks[np.arange(count), np.arange(count) // 25, np.arange(count) % 25] = True
    return Segmentation(masks, np.ones(count), range(1, count + 1))


def test_ids_beyond_8_bits_are_grey_of_16_bits_and_come_back(tmp_path):
    segmentation = hundreds()
    write_mask_png(tmp_path / "mask.png", segmentation)
    with Image.open(tmp_path / "mask.png") as image:
        assert image.mode == "I;16"
    found = read_mask_image(tmp_path / "mask.png")
    assert found.is_label_map
    assert found.object_ids == segmentation.object_ids
    for place in (0, 253, 254, 299):
        np.testing.assert_array_equal(found.mask_of(place + 1), segmentation.mask(place))


def test_few_high_ids_come_back(tmp_path):
    write_mask_png(tmp_path / "mask.png", segmentation_of(3, ids=(2, 300, 40000)))
    assert read_mask_image(tmp_path / "mask.png").object_ids == (2, 300, 40000)


@pytest.mark.parametrize(("highest", "mode"), [(254, "P"), (255, "I;16")])
def test_255_is_void_in_8_bits_and_therefore_written_in_16(tmp_path, highest, mode):
    write_mask_png(tmp_path / "mask.png", segmentation_of(2, ids=(1, highest)))
    with Image.open(tmp_path / "mask.png") as image:
        assert image.mode == mode


def test_a_layered_label_map_shows_the_smallest_mask_whatever_its_score(tmp_path):
    masks = np.zeros((3, 6, 8), dtype=bool)
    masks[0, 2, 3], masks[1, 1:4, 1:6], masks[2] = True, True, True
    write_layered_label_map(tmp_path / "map.png", Segmentation(masks, np.array([0.1, 0.9, 0.5]), (4, 300, 2)))
    with Image.open(tmp_path / "map.png") as image:
        assert image.mode == "I;16"
        labels = np.asarray(image)
    np.testing.assert_array_equal(labels, np.where(masks[0], 4, np.where(masks[1], 300, 2)))
    write_layered_label_map(tmp_path / "map.png", segmentation_of(2).taken([]))
    with Image.open(tmp_path / "map.png") as image:
        assert (image.mode, image.getextrema()) == ("I;16", (0, 0))
