import numpy as np
import pytest
from PIL import Image

from masklet.errors import InvalidInputError, UnreadableImageError
from masklet.media.label_maps import UnknownLabelError, read_label_map, write_label_map

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


@pytest.mark.parametrize(("colours", "highest"), [(4, 3), (3, None)])
def test_labels_outside_the_palette_are_refused(tmp_path, colours, highest):
    picture = Image.fromarray(np.array([[0, 1, 3]], dtype=np.uint8))
    picture.putpalette([0, 90, 200] * colours)
    picture.save(tmp_path / "a.png", bits=2)
    if highest:
        assert read_label_map(tmp_path / "a.png").max() == highest
    else:
        with pytest.raises(UnknownLabelError, match=r"a\.png shows the label 3, its palette ends at 2"):
            read_label_map(tmp_path / "a.png")


@pytest.mark.parametrize("labels", [LABELS.astype(np.int64), LABELS[0]])
def test_only_label_maps_are_written(tmp_path, labels):
    with pytest.raises(InvalidInputError, match=r"uint8 \[H, W\]"):
        write_label_map(tmp_path / "a.png", labels)
    assert not list(tmp_path.iterdir())
