import cv2
import numpy as np
import pytest
from PIL import Image

from masklet.errors import InvalidInputError, UnreadableImageError
from masklet.media.label_maps import is_black_and_white, void_resolved, write_label_map
from masklet.media.mask_images import read_label_map

FEW_LABELS = np.array([[0, 1, 2], [3, 200, 255]], dtype=np.uint8)
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


@pytest.mark.parametrize(
    "pixels",
    [
        [[(255, 0, 0), (0, 0, 0)]],
        [[(0, 0, 0), (1, 1, 1), (254, 254, 254), (255, 255, 255)]],
        [[(0, 0, 0), (7, 7, 7), (9, 8, 9)]],
        [[(each, each, each) for each in range(33)]],
        [[(7, 255), (7, 0)]],
    ],
    ids=["colour", "noise", "noise in colour", "too many greys in colour", "transparency"],
)
def test_what_may_hold_no_ids_is_refused(tmp_path, pixels):
    Image.fromarray(np.array(pixels, dtype=np.uint8)).save(tmp_path / "a.png")
    with pytest.raises(UnreadableImageError, match=r"a\.png has the mode (RGB|LA)"):
        read_label_map(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.dstack([FEW_LABELS] * 3), FEW_LABELS),
        (np.dstack([FEW_LABELS, np.full_like(FEW_LABELS, 255)]), FEW_LABELS),
        (np.dstack([FEW_LABELS] * 3 + [np.full_like(FEW_LABELS, 255)]), FEW_LABELS),
        (LABELS.astype(np.uint16) * 257, LABELS * np.int64(257)),
        (np.arange(600, dtype=np.uint16).reshape(20, 30), np.arange(600).reshape(20, 30)),
    ],
    ids=["RGB", "LA", "RGBA", "16 bits", "600 objects"],
)
def test_ids_in_other_modes(tmp_path, values, expected):
    Image.fromarray(values).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_label_map(tmp_path / "a.png"), expected)


def test_a_palette_with_black_second_is_black_and_white(tmp_path):
    image = Image.fromarray(np.uint8([[0, 1, 1]]))
    image.putpalette([255, 255, 255, 0, 0, 0])
    image.save(tmp_path / "a.png", bits=1)
    np.testing.assert_array_equal(read_label_map(tmp_path / "a.png"), [[1, 0, 0]])


@pytest.mark.parametrize("dtype", [np.uint8, np.int32])
def test_white_is_the_object_of_black_and_white_only(dtype):
    white = np.array([0, np.iinfo(np.uint8 if dtype == np.uint8 else np.uint16).max], dtype=dtype)
    assert is_black_and_white(white)
    np.testing.assert_array_equal(void_resolved(white, black_and_white=True), [0, 1])
    labels = np.array([0, 7, 255], dtype=dtype)
    assert not is_black_and_white(labels)
    resolved = void_resolved(labels, black_and_white=False)
    np.testing.assert_array_equal(resolved, [0, 7, 0 if dtype == np.uint8 else 255])  # 255 instances have no void
    assert resolved.dtype == dtype


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
    with pytest.raises(InvalidInputError, match=r"uint8 or uint16 \[H, W\]"):
        write_label_map(tmp_path / "a.png", labels)
    assert not list(tmp_path.iterdir())
