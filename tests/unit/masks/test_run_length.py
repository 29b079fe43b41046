import numpy as np
import pytest
from pycocotools import mask as coco_mask

from masklet.environment import PIXELS_VARIABLE
from masklet.errors import InvalidInputError
from masklet.masks.counts import checked_size
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
        ({"size": [2, 2], "counts": [3, -1, 2]}, r"Count 2 of 3 is -1; each is from 0 to 4, the pixels of 2 x 2"),
        ({"size": [2, 2], "counts": [5, -1]}, "Count 1 of 2 is 5"),
        ({"size": [2, 2], "counts": []}, "sum to 0 pixels; 2 x 2 has 4"),
        ({"size": [2, 2], "counts": [1.5, 2.5]}, "must be whole numbers"),
        ({"size": [2, 2], "counts": ["4"]}, "must be whole numbers"),
        ({"size": [2, 2], "counts": [10**400]}, "must be whole numbers"),
        ({"size": [2, 2], "counts": [[4]]}, "must be whole numbers"),
        ({"size": [2, 2], "counts": {}}, "must be whole numbers"),
        ({"size": [2, 2], "counts": ""}, "empty"),
        ({"size": [2, 2], "counts": "11"}, "sum to 2 pixels; 2 x 2 has 4"),
        ({"size": [2, 2], "counts": "1O3"}, "Count 2 of 3 is -1"),
        ({"size": [2, 2], "counts": "11R"}, "cut off"),
        ({"size": [2, 2], "counts": "11 2"}, "none of the code at place 3"),
        ({"size": [2, 2], "counts": "11\ud800"}, "none of the code at place 3"),
        ({"size": [2, 2], "counts": "Q" * 8 + "0"}, "over 35 bits"),
        ({"size": [4, 2], "counts": [8]}, r"\[4, 2\]"),
        ({"size": [2], "counts": [8]}, r"A size is \[height, width\]"),
        ({"size": "22", "counts": [8]}, r"A size is \[height, width\]"),
        ({"size": [2, None], "counts": [8]}, "The width must be a whole number"),
        ({"size": [10**400, 2], "counts": [8]}, "The height must be a whole number"),
        ([[0, 0, 1, 1]], "at least three points"),
        ([[0, 0, 1, 1], []], "at least three points"),
        ([[0, 0, 1, 1, 2, 2, 3]], "x, y pairs; got 7 numbers"),
        (["0 0 1 1 2 2"], "at least three points"),
        ([[0, 0, 1, 1, "2", 2]], "at least three points"),
        ([[0, 0, 1, 1, None, 2]], "at least three points"),
        ([[0, 0, 1, 1, 10**400, 2]], "at least three points"),
        ([[[[0, 0]] * 3]], "at least three points"),
        ("0 0 1 1 2 2", "at least three points"),
        (None, "at least three points"),
        ([[float("nan"), 0, 1, 1, 2, 2]], "finite and at most 100,000,000 from 0; got .nan, 0"),
        ([[0, 0, float("-inf"), 1, 2, 2]], "finite"),
        ([[0, 0, 2e8, 1, 2, 2]], "at most 100,000,000"),
    ],
)
def test_malformed_segmentations(segmentation, message):
    height, width = (3, 4) if isinstance(segmentation, dict) and "counts" not in segmentation else (2, 2)
    with pytest.raises(InvalidInputError, match=message):
        decode_segmentation(segmentation, height, width)


@pytest.mark.parametrize("size", [(10**9, 160), (2**24, 2**24), (10**400, 1), (0, 4), (4, -1)])
def test_sizes_that_no_image_has(size):
    height, width = size
    for segmentation in ([[0, 0, 3, 0, 3, 3]], {"size": [height, width], "counts": [1]}):
        with pytest.raises(InvalidInputError, match=r"whole number from 1|at most 536,870,912 pixels"):
            decode_segmentation(segmentation, height, width)


@pytest.mark.parametrize(
    "segmentation",
    [
        [1, 1, 4, 1, 4, 3, 1, 3],
        [[1, 1], [4, 1], [4, 3], [1, 3]],
        [[[1, 1], [4, 1], [4, 3], [1, 3]]],
        [[1.0, 1, 4, 1, 4, 3, 1, 3], [2, 2, 3, 3], [5], []],
        [[2, 2], [[1, 1], [4, 1], [4, 3], [1, 3]]],
    ],
    ids=["flat", "pairs", "list of pairs", "with parts that enclose nothing", "points and pairs"],
)
def test_the_ways_to_write_a_polygon(segmentation):
    expected = np.zeros((5, 9), dtype=bool)
    expected[1:3, 1:4] = True
    np.testing.assert_array_equal(decode_segmentation(segmentation, height=5, width=9), expected)


def test_two_polygons_of_pairs():
    square, other = [[1, 1], [4, 1], [4, 3], [1, 3]], [[6, 0], [8, 0], [8, 2], [6, 2], [6, 1]]
    expected = np.zeros((5, 9), dtype=bool)
    expected[1:3, 1:4] = True
    expected[0:2, 6:8] = True
    np.testing.assert_array_equal(decode_segmentation([square, other], height=5, width=9), expected)


@pytest.mark.parametrize("far", [500, 5e5, 9e7])
def test_polygons_that_reach_far_beyond_the_image(far):
    """A band from the lower left to the upper right, whose ends lie outside; the same, however far outside."""
    band = [[-far, 20 + far], [far, 20 - far], [far, 25 - far], [-far, 25 + far]]
    rows, columns = np.mgrid[:40, :60] + 0.5
    expected = (rows > 20 - columns) & (rows < 25 - columns)
    differing = decode_segmentation(band, 40, 60) ^ expected
    assert differing.sum() <= 45  # at most along both edges, of 20 and 25 columns
    assert not decode_segmentation([[far, 0], [far, far], [far + 1, far]], 40, 60).any()


def test_an_outline_too_long_to_be_one():
    zigzag = [[x, y] for _ in range(100_000) for x, y in ((-900, 0), (1900, 5))]
    with pytest.raises(
        InvalidInputError, match=r"560,000,000 pixels long; in an image of 1000 x 1000 it may be 10,000,000"
    ):
        decode_segmentation(zigzag, 1000, 1000)


def test_only_single_masks_are_encoded():
    with pytest.raises(InvalidInputError, match=r"\[1, 2, 3\]"):
        encode_run_length(np.zeros((1, 2, 3), dtype=bool))


def test_the_limit_of_images_is_that_of_masks_where_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PIXELS_VARIABLE, "20")
    with pytest.raises(InvalidInputError, match=r"at most 20 pixels; 3 x 7 would be 21\..*--max-image-pixels"):
        checked_size([3, 7])
    assert checked_size([4, 5]) == (4, 5)
    monkeypatch.setenv(PIXELS_VARIABLE, str(2**40))
    assert checked_size([2**15, 2**15]) == (2**15, 2**15)
    with pytest.raises(InvalidInputError, match=r"at most 4,294,967,295 pixels"):
        checked_size([2**16, 2**16])
