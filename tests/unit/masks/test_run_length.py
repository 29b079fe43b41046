import numpy as np
import pytest
from pycocotools import mask as coco_mask

from masklet.errors import InvalidInputError
from masklet.masks.run_length import decode_run_length, decode_segmentation, encode_run_length


@pytest.fixture
def mask():
    return np.random.default_rng(0).random((13, 7)) > 0.6


def test_encodes_as_pycocotools(mask):
    expected = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    assert encode_run_length(mask) == {"size": [13, 7], "counts": expected["counts"].decode()}


def test_known_code():
    # Two columns of two pixels, only the lower left one inside: one outside, one inside, two outside.
    assert encode_run_length(np.array([[False, False], [True, False]])) == {"size": [2, 2], "counts": "112"}


@pytest.mark.parametrize("kind", ["text", "bytes", "list"])
def test_decodes_all_run_length_forms(mask, kind):
    columns = mask.T.ravel()
    changes = np.flatnonzero(np.diff(columns)) + 1
    counts = np.diff([0, *([0] if columns[0] else []), *changes, columns.size]).tolist()
    text = encode_run_length(mask)["counts"]
    form = {"text": text, "bytes": text.encode(), "list": counts}[kind]
    np.testing.assert_array_equal(decode_run_length({"size": [13, 7], "counts": form}), mask)


def test_polygons_are_united():
    mask = decode_segmentation([[1, 1, 4, 1, 4, 3, 1, 3], [6, 0, 8, 0, 8, 2, 6, 2]], height=5, width=9)
    expected = np.zeros((5, 9), dtype=bool)
    expected[1:3, 1:4] = True
    expected[0:2, 6:8] = True
    np.testing.assert_array_equal(mask, expected)


def test_no_polygon_is_an_empty_mask():
    assert not decode_segmentation([], height=2, width=3).any()


@pytest.mark.parametrize(
    ("segmentation", "message"),
    [
        ({"size": [3, 4]}, "counts"),
        ({"size": [2, 2], "counts": [1, 2]}, "sum to 3"),
        ({"size": [2, 2], "counts": [5, -1]}, "sum to 4"),
        ({"size": [4, 2], "counts": [8]}, r"\[4, 2\]"),
        ([[0, 0, 1, 1]], "three x, y pairs"),
        ([[0, 0, 1, 1, 2, 2, 3]], "three x, y pairs"),
        (["0 0 1 1 2 2"], "three x, y pairs"),
    ],
)
def test_malformed_segmentations(segmentation, message):
    height, width = (3, 4) if isinstance(segmentation, dict) and "counts" not in segmentation else (2, 2)
    with pytest.raises(InvalidInputError, match=message):
        decode_segmentation(segmentation, height, width)


def test_only_single_masks_are_encoded():
    with pytest.raises(InvalidInputError, match=r"\[1, 2, 3\]"):
        encode_run_length(np.zeros((1, 2, 3), dtype=bool))
