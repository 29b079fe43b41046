import cv2
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


def disc(radius, side=64):
    """White on black, uint8 [side, side]."""
    y, x = np.mgrid[:side, :side] - side // 2
    return (x**2 + y**2 <= radius**2).astype(np.uint8) * 255


def thinned(labels, number):
    """The labels without their rims, these as void."""
    return np.where(labels == cv2.erode(labels, np.ones((3, 3), np.uint8)), labels, np.uint8(number))


def grid_of_cells(side, gap):
    """200 squares, each of its own label from 1 on."""
    numbers = np.arange(1, 201, dtype=np.uint8).reshape(10, 20)
    cells = np.kron(numbers, np.pad(np.ones((side, side), np.uint8), ((0, gap), (0, gap))))
    cells[-1, -1] = 255
    return cells


@pytest.mark.parametrize(
    "soft",
    [
        cv2.GaussianBlur(disc(20), (0, 0), 1),
        cv2.GaussianBlur(disc(20), (0, 0), 5),
        cv2.resize(disc(20), (32, 32), interpolation=cv2.INTER_AREA),
        cv2.resize(disc(20), (48, 48), interpolation=cv2.INTER_AREA),
    ],
    ids=["narrow", "wide", "half the size", "three quarters of the size"],
)
def test_soft_masks_are_refused_unless_indexed(tmp_path, soft):
    Image.fromarray(soft).save(tmp_path / "a.png")
    with pytest.raises(UnreadableImageError, match=r"a\.png is a soft mask, with \d+ grey levels.*0 and 255.*indexed"):
        read_label_map(tmp_path / "a.png")
    write_label_map(tmp_path / "a.png", soft)
    np.testing.assert_array_equal(read_label_map(tmp_path / "a.png"), soft)


@pytest.mark.parametrize(
    "labels",
    [
        disc(20),
        disc(20) // 255 * 128 + disc(8) // 255 * 127,
        thinned(disc(20) // 255 * 7 + disc(9) // 255 * 150, 255),
        np.maximum(disc(2) // 255 * 9, 255 - disc(4)),
        *[grid_of_cells(side, gap) for side in (1, 2, 3, 5) for gap in (0, 1, 2) if side > 2 or gap],
    ],
)
def test_grey_label_maps_are_no_soft_masks(tmp_path, labels):
    Image.fromarray(labels).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_label_map(tmp_path / "a.png"), labels)


@pytest.mark.parametrize("labels", [LABELS.astype(np.int64), LABELS[0]])
def test_only_label_maps_are_written(tmp_path, labels):
    with pytest.raises(InvalidInputError, match=r"uint8 \[H, W\]"):
        write_label_map(tmp_path / "a.png", labels)
    assert not list(tmp_path.iterdir())
