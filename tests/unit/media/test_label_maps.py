import numpy as np
import pytest
from PIL import Image

from masklet.errors import InvalidInputError, UnreadableImageError
from masklet.media.label_maps import read_label_map, write_label_map

LABELS = np.array([[0, 1, 2], [3, 254, 255]], dtype=np.uint8)


def test_object_ids_come_back_and_have_colours(tmp_path):
    write_label_map(tmp_path / "a.png", LABELS)
    np.testing.assert_array_equal(read_label_map(tmp_path / "a.png"), LABELS)
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == "P"
        colours = np.array(image.convert("RGB"))
    assert len(np.unique(colours.reshape(-1, 3), axis=0)) == LABELS.size
    assert (colours[0, 0] == 0).all()


@pytest.mark.parametrize(("mode", "expected"), [("L", LABELS), ("1", LABELS > 0)])
def test_grey_and_black_and_white(tmp_path, mode, expected):
    picture = Image.fromarray(LABELS) if mode == "L" else Image.fromarray(LABELS > 0)
    picture.save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_label_map(tmp_path / "a.png"), expected)


def test_other_pictures_are_refused(tmp_path):
    Image.new("RGB", (3, 2)).save(tmp_path / "a.png")
    with pytest.raises(UnreadableImageError, match=r"a\.png has the mode RGB"):
        read_label_map(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"nothing")
    with pytest.raises(UnreadableImageError, match=r"b\.png"):
        read_label_map(tmp_path / "b.png")


@pytest.mark.parametrize("labels", [LABELS.astype(np.int64), LABELS[0]])
def test_only_label_maps_are_written(tmp_path, labels):
    with pytest.raises(InvalidInputError, match=r"uint8 \[H, W\]"):
        write_label_map(tmp_path / "a.png", labels)
    assert not list(tmp_path.iterdir())
