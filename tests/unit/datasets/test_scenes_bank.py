import json

import cv2
import numpy as np
import pytest

from masklet.datasets.scenes import ImageBank
from masklet.errors import InvalidInputError, UnreadableImageError


def write_image(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.ascontiguousarray(image[..., ::-1]))


def write_panoptic_folder(folder):
    """One image, 90 x 120: a red person of 30 x 40, a crowd, and grass below; segment ids use all three bytes."""
    image = np.full((90, 120, 3), 128, np.uint8)
    ids = np.zeros((90, 120), np.int64)
    regions = {
        70_000: (slice(20, 50), slice(30, 70)),
        300: (slice(0, 10), slice(0, 120)),
        5: (slice(60, 90), slice(0, 120)),
    }
    for (segment, region), colour in zip(regions.items(), [(255, 0, 0), (0, 0, 255), (0, 255, 0)], strict=True):
        ids[region], image[region] = segment, colour
    write_image(folder / "images" / "one.png", image)
    write_image(
        folder / "panoptic" / "one.png", np.stack([ids % 256, ids // 256 % 256, ids // 65536], -1).astype(np.uint8)
    )
    segments = [
        {"id": 300, "category_id": 1, "iscrowd": 1},
        {"id": 70_000, "category_id": 1, "iscrowd": 0},
        {"id": 5, "category_id": 9, "iscrowd": 0},
    ]
    document = {
        "categories": [{"id": 1, "isthing": 1}, {"id": 9, "isthing": 0}],
        "images": [{"id": 4, "file_name": "one.png"}],
        "annotations": [{"image_id": 4, "file_name": "one.png", "segments_info": segments}],
    }
    (folder / "panoptic_tiny.json").write_text(json.dumps(document))
    return image


def test_panoptic_segments_become_labels_things_stuff_and_cutouts(tmp_path):
    image = write_panoptic_folder(tmp_path)
    bank = ImageBank.load([tmp_path], panoptic_folder=tmp_path)
    (example,) = bank.labelled
    (person,), (grass,) = example.things, example.stuff
    assert np.array_equal(example.labels == person, (image == (255, 0, 0)).all(-1))
    assert np.array_equal(example.labels == grass, (image == (0, 255, 0)).all(-1))
    assert (example.labels[:10] == 0).all()  # a crowd is no object
    (cutout,) = bank.cutouts
    assert np.count_nonzero(cutout.mask) == 30 * 40
    assert (cutout.image[cutout.mask > 0] == (255, 0, 0)).all()
    # The image counts once, its label image never.
    assert len(bank.images) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"categories": None},
        {"images": [{"id": 5, "file_name": "one.png"}]},
        {"images": [{"id": 4, "file_name": 3}]},
        {"annotations": [{"image_id": 10**400, "file_name": "one.png", "segments_info": []}]},
        {"annotations": [{"image_id": 4, "file_name": "one.png", "segments_info": [{"iscrowd": 0, "id": "x"}]}]},
        {"annotations": [{"image_id": 4, "file_name": "a\0b", "segments_info": []}]},
        {"annotations": [3]},
    ],
)
def test_panoptic_files_of_the_wrong_kind(tmp_path, changes):
    write_panoptic_folder(tmp_path)
    document = json.loads((tmp_path / "panoptic_tiny.json").read_text())
    (tmp_path / "panoptic_tiny.json").write_text(json.dumps(document | changes))
    with pytest.raises(InvalidInputError, match=r"panoptic_tiny\.json"):
        ImageBank.load([tmp_path], panoptic_folder=tmp_path)


def test_label_images_are_no_images_even_without_their_json(tmp_path):
    write_panoptic_folder(tmp_path)
    assert len(ImageBank.load([tmp_path]).images) == 1


def test_swatch_sheets_are_cut_and_white_borders_and_empty_places_left_out(tmp_path):
    sheet = np.full((16 + 2 * 176 + 16, 1024, 3), 255, np.uint8)
    for column in range(7):
        sheet[16:144, 16 + 144 * column :][:, :128] = (10 + column, 80, 90)
    sheet[192:320, 16:100] = (200, 20, 30)  # a narrower swatch
    write_image(tmp_path / "Sheet.png", sheet)
    bank = ImageBank.load([tmp_path])
    assert not bank.images
    assert len(bank.swatches) == 8
    assert all(swatch.max() < 255 for swatch in bank.swatches)


def test_large_images_are_shrunk_and_specks_left_out(tmp_path):
    write_image(tmp_path / "large.png", np.zeros((100, 1280, 3), np.uint8))
    write_image(tmp_path / "speck.png", np.zeros((8, 8, 3), np.uint8))
    bank = ImageBank.load([tmp_path])
    assert [image.shape for image in bank.images] == [(50, 640, 3)]


def test_what_cannot_be_used_is_named(tmp_path):
    with pytest.raises(InvalidInputError, match="nowhere"):
        ImageBank.load([tmp_path / "nowhere"])
    with pytest.raises(InvalidInputError, match="no images"):
        ImageBank.load([tmp_path])
    with pytest.raises(InvalidInputError, match=r"panoptic\*\.json"):
        ImageBank.load([tmp_path], panoptic_folder=tmp_path)
    for name, content in (("broken.jpg", b"no image"), ("empty.jpg", b""), ("empty.png", b"")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UnreadableImageError, match=name):
            ImageBank.load([tmp_path])
        (tmp_path / name).unlink()
