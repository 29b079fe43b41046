import numpy as np
import pytest
from PIL import Image
from tests.support.annotated_folders import LABELS, LEFT, OBJECTS, RIGHT, write_image, write_mask

from masklet.errors import InvalidInputError
from masklet.formats.reading.plain_folder import IMAGE_FOLDERS, MASK_FOLDERS, PlainFolder
from masklet.media.label_maps import write_label_map


def only_image(root):
    folder = PlainFolder(root)
    assert not list(folder.problems())
    (image,) = folder
    return image


@pytest.mark.parametrize(
    "name", ["truck_12", "truck_12_mask", "truck_12-gt", "truck_12_label", "truck_12_seg_1", "truck_12_cp_masks"]
)
def test_names_of_a_mask(tmp_path, name):
    write_image(tmp_path / "images/truck_12.jpg")
    write_label_map(tmp_path / f"masks/{name}.png", LABELS)
    np.testing.assert_array_equal(only_image(tmp_path).masks, OBJECTS)


@pytest.mark.parametrize("names", [("a_1", "a_2"), ("a_mask_1", "a_mask_2"), ("a/left", "a/right")])
def test_a_mask_for_each_object(tmp_path, names):
    write_image(tmp_path / "images/a.jpg")
    write_mask(tmp_path / f"masks/{names[0]}.png", LEFT)
    write_mask(tmp_path / f"masks/{names[1]}.png", LEFT | RIGHT)
    np.testing.assert_array_equal(only_image(tmp_path).masks, [LEFT, LEFT | RIGHT])  # which may overlap


@pytest.mark.parametrize("images", IMAGE_FOLDERS)
@pytest.mark.parametrize("masks", MASK_FOLDERS)
def test_names_of_the_folders(tmp_path, images, masks):
    write_image(tmp_path / images / "a.jpg")
    write_label_map(tmp_path / masks / "a.png", LABELS)
    assert PlainFolder.recognises(tmp_path)
    assert only_image(tmp_path).name == "a.jpg"


def test_white_is_the_object_of_a_black_and_white_mask(tmp_path):
    write_image(tmp_path / "images/a.jpg")
    write_mask(tmp_path / "masks/a.png", LEFT)
    np.testing.assert_array_equal(only_image(tmp_path).masks, [LEFT])


def test_255_is_void_beside_other_labels(tmp_path):
    write_image(tmp_path / "images/a.jpg")
    write_label_map(tmp_path / "masks/a.png", (LEFT * 7 + RIGHT * 255).astype(np.uint8))
    np.testing.assert_array_equal(only_image(tmp_path).masks, [LEFT])


@pytest.mark.parametrize(
    ("kind", "suffix"), [(np.uint16, ".png"), (np.uint16, ".tif"), (np.int32, ".tif"), (np.float32, ".tif")]
)
def test_instances_of_more_than_8_bits_are_all_objects(tmp_path, kind, suffix):
    """As Cellpose and CellProfiler write them; 255 is a cell as any other."""
    cells = np.arange(1, 301).reshape(20, 15).repeat(2, axis=0).repeat(2, axis=1)
    cells[::2] = 0
    Image.fromarray(cells.astype(kind)).save(tmp_path / f"cells{suffix}")
    write_image(tmp_path / "images/a.jpg", size=cells.shape[::-1])
    (tmp_path / "masks").mkdir()
    (tmp_path / f"cells{suffix}").rename(tmp_path / f"masks/a_cp_masks{suffix}")
    image = only_image(tmp_path)
    assert len(image.objects) == 300
    np.testing.assert_array_equal(image.masks_of([0, 254, 299]), [cells == 1, cells == 255, cells == 300])


def test_a_name_that_ends_in_a_number_is_its_own(tmp_path):
    for name in ("truck", "truck_1"):
        write_image(tmp_path / f"images/{name}.jpg")
    write_mask(tmp_path / "masks/truck.png", LEFT)
    write_mask(tmp_path / "masks/truck_1.png", RIGHT)
    truck, truck_1 = PlainFolder(tmp_path)
    np.testing.assert_array_equal(truck.masks, [LEFT])
    np.testing.assert_array_equal(truck_1.masks, [RIGHT])


def test_both_folders_are_needed(tmp_path):
    write_image(tmp_path / "images/a.jpg")
    assert not PlainFolder.recognises(tmp_path)
    with pytest.raises(InvalidInputError, match=r"images, .* masks, "):
        PlainFolder(tmp_path)
