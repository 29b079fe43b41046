import json

import numpy as np
import pytest
from PIL import Image

from masklet.datasets.annotated import MismatchedSizeError
from masklet.datasets.coco_folder import CocoFolder
from masklet.errors import InvalidInputError, UnreadableImageError
from masklet.masks.run_length import encode_run_length

MASK = np.zeros((4, 6), dtype=bool)
MASK[1:3, 2:5] = True


def write(root, annotations, images=({"id": 7, "file_name": "a.png", "height": 4, "width": 6},), size=(6, 4)):
    (root / "images").mkdir()
    Image.new("RGB", size, (10, 20, 30)).save(root / "images" / "a.png")
    content = {"images": list(images), "annotations": [{"image_id": 7, **each} for each in annotations]}
    (root / "annotations.json").write_text(json.dumps(content))
    return CocoFolder(root)


@pytest.mark.parametrize(
    "segmentation",
    [
        encode_run_length(MASK),
        {"size": [4, 6], "counts": [9, 2, 2, 2, 2, 2, 5]},
        [[2, 1, 5, 1, 5, 3, 2, 3]],
    ],
    ids=["compressed", "uncompressed", "polygon"],
)
def test_reads_every_form(tmp_path, segmentation):
    folder = write(tmp_path, [{"segmentation": segmentation}])
    (picture,) = folder
    assert len(folder) == 1
    assert picture.name == "a.png"
    np.testing.assert_array_equal(picture.masks, MASK[None])
    np.testing.assert_array_equal(picture.read_pixels(), np.broadcast_to(np.uint8([10, 20, 30]), (4, 6, 3)))


def test_skips_crowds_empty_masks_and_other_images(tmp_path):
    annotations = [
        {"segmentation": encode_run_length(MASK), "iscrowd": 1},
        {"segmentation": encode_run_length(MASK & False)},
        {"segmentation": encode_run_length(~MASK), "iscrowd": 0},
        {"segmentation": encode_run_length(MASK), "image_id": 8},
    ]
    (picture,) = write(tmp_path, annotations)
    np.testing.assert_array_equal(picture.masks, ~MASK[None])


def test_picture_without_objects(tmp_path):
    (picture,) = write(tmp_path, [])
    assert picture.masks.shape == (0, 4, 6)


def test_missing_file(tmp_path):
    with pytest.raises(InvalidInputError, match=r"annotations\.json does not exist"):
        CocoFolder(tmp_path)


def test_broken_json(tmp_path):
    (tmp_path / "annotations.json").write_text("{")
    with pytest.raises(InvalidInputError, match=r"annotations\.json is not JSON"):
        CocoFolder(tmp_path)


@pytest.mark.parametrize(
    ("images", "reason"),
    [
        ([3], "the image 3 lacks one of the fields file_name, height, id, width"),
        ([{"id": 1, "file_name": "a.png", "height": 4}], "lacks one of the fields"),
        ([{"id": [], "file_name": "a.png", "height": 4, "width": 6}], "lacks one of the fields"),
        ([{"id": 1, "file_name": "a.png", "height": 4, "width": 6}] * 2, "several images have the id 1"),
    ],
)
def test_broken_images(tmp_path, images, reason):
    with pytest.raises(InvalidInputError, match=reason):
        write(tmp_path, [], images)


@pytest.mark.parametrize("text", ["[]", '{"images": []}', '{"images": [], "annotations": [{}]}'])
def test_invalid_file(tmp_path, text):
    (tmp_path / "annotations.json").write_text(text)
    with pytest.raises(InvalidInputError, match="not a COCO instances file"):
        CocoFolder(tmp_path)


@pytest.mark.parametrize("annotation", [{}, {"segmentation": {"size": [4, 6], "counts": [5]}}, {"segmentation": 3}])
def test_invalid_annotation_names_the_image(tmp_path, annotation):
    with pytest.raises(InvalidInputError, match=r"a\.png"):
        list(write(tmp_path, [annotation]))


def test_mask_of_another_size_than_its_picture(tmp_path):
    folder = write(tmp_path, [{"id": 12, "segmentation": {"size": [6, 4], "counts": [24]}}])
    with pytest.raises(MismatchedSizeError, match=r"a\.png: the mask of annotation 12.*\[6, 4\].*\[4, 6\]"):
        folder[0]


@pytest.mark.parametrize(
    ("annotations", "pictures"),
    [
        ("annotations/instances_train2017.json", "train2017"),
        ("annotations/instances_train2017.json", "images/train2017"),
        ("annotations/instances_train2017.json", "images"),
        ("_annotations.coco.json", "."),
        ("mine/my.json", "mine"),
    ],
)
def test_usual_places(tmp_path, annotations, pictures):
    write(tmp_path, [{"segmentation": encode_run_length(MASK)}])
    file = tmp_path / annotations
    (tmp_path / pictures).mkdir(parents=True, exist_ok=True)
    file.parent.mkdir(exist_ok=True)
    (tmp_path / "images/a.png").rename(tmp_path / pictures / "a.png")
    (tmp_path / "annotations.json").rename(file)
    (picture,) = CocoFolder(file if file.name == "my.json" else tmp_path)
    assert picture.read_pixels().shape == (4, 6, 3)


def test_one_of_several_files_has_to_be_named(tmp_path):
    write(tmp_path, [{"segmentation": encode_run_length(MASK)}])
    (tmp_path / "annotations").mkdir()
    for split in ("train", "val"):
        (tmp_path / f"annotations/instances_{split}.json").write_bytes((tmp_path / "annotations.json").read_bytes())
    (tmp_path / "annotations.json").unlink()
    with pytest.raises(InvalidInputError, match=r"several.*instances_train\.json, .*instances_val\.json"):
        CocoFolder(tmp_path)
    assert len(CocoFolder(tmp_path / "annotations/instances_val.json")) == 1


def test_picture_of_another_size_than_its_masks(tmp_path):
    (picture,) = write(tmp_path, [{"segmentation": encode_run_length(MASK)}], size=(5, 4))
    with pytest.raises(UnreadableImageError, match=r"\[4, 5\].*\[4, 6\]"):
        picture.read_pixels()
