"""Which of many overlapping boxes and masks stay."""

import numpy as np
import pytest

from masklet.errors import InvalidInputError
from masklet.masks.run_length import RunLength, encode_run_length
from masklet.masks.segmentation import Segmentation
from masklet.masks.suppression import (
    box_suppression,
    cleaned_masks,
    containment,
    flat_layers,
    mask_ious,
    mask_suppression,
    without_contained,
)


def masks(*rows: str) -> list[RunLength]:
    """Masks of one row of pixels each: `#` is inside."""
    return [encode_run_length(np.array([[sign == "#" for sign in row]])) for row in rows]


HALF = [[0, 0, 4, 4], [0, 0, 4, 8]]  # an IoU of exactly .5


@pytest.mark.parametrize(
    ("boxes", "scores", "threshold", "left"),
    [
        ([], [], 0.5, []),
        ([[0, 0, 4, 4]], [0.1], 0.5, [0]),
        (HALF, [0.9, 0.8], 0.5, [0, 1]),  # at the threshold, both stay
        (HALF, [0.9, 0.8], 0.4999, [0]),
        (HALF, [0.8, 0.9], 0.4999, [1]),
        (HALF, [0.8, 0.9], 1.0, [1, 0]),  # by descending score
        ([[0, 0, 4, 4]] * 3, [0.5, 0.5, 0.5], 0.9, [0]),  # of equal scores the first
        ([[0, 0, 1, 1], [5, 5, 6, 6], [9, 9, 10, 10]], [0.5, 0.5, 0.5], 0.5, [0, 1, 2]),
        ([[0, 0, 4, 4]] * 2, [0.5, 0.6], 1.0, [1, 0]),
        ([[2, 2, 2, 2]] * 2, [0.5, 0.6], 0.0, [1, 0]),  # 0/0
        ([[0, 0, 4, 4], [4, 0, 8, 4]], [0.5, 0.6], 0.0, [1, 0]),  # they touch
        ([[0, 0, 4, 4], [3, 3, 8, 8]], [0.5, 0.6], 0.0, [1]),
        # The second goes by the first, so that the third, which overlaps the second only, stays.
        ([[0, 0, 10, 4], [2, 0, 12, 4], [4, 0, 14, 4]], [0.9, 0.8, 0.7], 0.6, [0, 2]),
    ],
)
def test_boxes_that_are_left(boxes: list[list[float]], scores: list[float], threshold: float, left: list[int]) -> None:
    assert box_suppression(boxes, scores, threshold).tolist() == left


def test_the_iou_has_single_precision_and_the_threshold_double() -> None:
    """An IoU of 1/10 in float32 is above .1, one of 7/10 is below .7: as torchvision's comparison has it."""
    tenth, seven_tenths = [[0, 0, 1, 1], [0, 0, 1, 10]], [[0, 0, 7, 1], [0, 0, 10, 1]]
    assert box_suppression(tenth, [0.9, 0.8], 0.1).tolist() == [0]
    assert box_suppression(seven_tenths, [0.9, 0.8], 0.7).tolist() == [0, 1]


def test_a_speck_saves_a_duplicate_from_boxes_and_not_from_masks() -> None:
    twice = masks("####......", "####.....#")
    assert box_suppression([[0, 0, 4, 1], [0, 0, 10, 1]], [0.9, 0.8], 0.7).tolist() == [0, 1]
    assert mask_suppression(twice, [0.9, 0.8], 0.7).tolist() == [0]
    assert mask_suppression(twice, [0.8, 0.9], 0.7).tolist() == [1]
    assert mask_suppression(twice, [0.9, 0.8], 0.8).tolist() == [0, 1]  # at the threshold, both stay


def test_a_ring_does_not_suppress_the_disc_within() -> None:
    assert mask_suppression(masks("#..#", ".##."), [0.9, 0.8], 0.0).tolist() == [0, 1]


def test_empty_masks_all_stay() -> None:
    assert mask_suppression(masks("....", "....", "##.."), [0.1, 0.2, 0.3], 0.0).tolist() == [2, 1, 0]
    assert mask_suppression([], [], 0.5).tolist() == []


def test_ious_and_shares_of_masks() -> None:
    first, second = masks("##..", "....", "####"), masks(".##.", "....")
    np.testing.assert_allclose(mask_ious(first, second), [[1 / 3, 0], [0, 0], [1 / 2, 0]])
    np.testing.assert_allclose(containment(first, second), [[1 / 2, 0], [0, 0], [1 / 2, 0]])
    np.testing.assert_allclose(containment(second, first), [[1 / 2, 0, 1], [0, 0, 0]])
    assert mask_ious(first, []).shape == (3, 0)
    assert containment([], second).shape == (0, 2)


def test_more_masks_than_a_byte_counts() -> None:
    """pycocotools measures 255 masks at a time."""
    many = masks(*("." * place + "#" + "." * (299 - place) for place in range(300)))
    assert len(mask_suppression(many, np.zeros(300), 0.5)) == 300
    assert len(without_contained(many)) == 300


@pytest.mark.parametrize(
    ("rows", "share", "wholes", "parts"),
    [
        ([], 0.85, [], []),
        (["####", "##.."], 0.85, [0], [1]),
        (["##..", "####"], 0.85, [1], [0]),
        (["##..", "##.."], 0.85, [0], [0]),  # equal ones: the first
        (["....", "####"], 0.85, [0, 1], [0, 1]),  # an empty mask is no part
        (["##..", ".###"], 0.5, [1], [0]),  # at the share
        (["##..", ".###"], 0.51, [0, 1], [0, 1]),
        # A row of parts, each half in the next: what a dropped mask contained is not lost with it.
        (["##......", ".####...", "...#####"], 0.5, [0, 2], [0, 2]),
        (["#.......", "###.....", "########", "......##"], 1.0, [2], [0, 3]),
    ],
)
def test_nested_masks(rows: list[str], share: float, wholes: list[int], parts: list[int]) -> None:
    assert without_contained(masks(*rows), share).tolist() == wholes
    assert without_contained(masks(*rows), share, keep="parts").tolist() == parts


def high(*rows: str) -> list[RunLength]:
    """The same masks, three rows high."""
    return [encode_run_length(np.array([[sign == "#" for sign in row]] * 3)) for row in rows]


def test_masks_that_lost_small_regions_give_way_to_those_that_did_not() -> None:
    block, with_speck, other = high("#####......", "#####.....#", "......#####")
    cleaned, left = cleaned_masks([with_speck, block, other, block], area=4, threshold=0.7)
    assert cleaned == [block, block, other, block]
    assert left.tolist() == [1, 2]
    cleaned, left = cleaned_masks([with_speck, other, with_speck], area=4, threshold=0.7)
    assert cleaned == [block, other, block]
    assert left.tolist() == [1, 0]  # those that did not come first
    cleaned, left = cleaned_masks([with_speck, block], area=3, threshold=0.7)
    assert cleaned == [with_speck, block]
    assert left.tolist() == [0, 1]
    assert cleaned_masks([], area=4, threshold=0.7)[1].tolist() == []


def test_cleaned_masks_are_compared_by_boxes_that_end_at_their_last_pixels() -> None:
    """Boxes of 9 and 12 pixels: an IoU of 8/11 is not 9/12, but masks one pixel high have no area at all."""
    block = np.zeros((12, 12), dtype=bool)
    block[:, :9] = True
    two = [encode_run_length(block), encode_run_length(np.ones((12, 12), dtype=bool))]
    assert cleaned_masks(two, area=2, threshold=0.74)[1].tolist() == [0, 1]
    assert cleaned_masks(two, area=2, threshold=0.72)[1].tolist() == [0]
    assert cleaned_masks(masks("####", "####"), area=2, threshold=0.0)[1].tolist() == [0, 1]


@pytest.mark.parametrize(
    ("rows", "flat"),
    [
        ([], []),
        (["####", ".#.."], ["#.##", ".#.."]),
        (["#...", "###.", "####"], ["#...", ".##.", "...#"]),
        ([".##.", "##.."], [".##.", "#..."]),  # of equal ones the first
        (["##..", "##..", "...."], ["##..", "....", "...."]),
        (["####", "##..", "..##"], ["....", "##..", "..##"]),
    ],
)
def test_flat_layers(rows: list[str], flat: list[str]) -> None:
    size, ids = (1, 4), [7 + 2 * place for place in range(len(rows))]
    layers = flat_layers(Segmentation.from_run_lengths(masks(*rows), size, np.arange(len(rows)) / 8, ids))
    assert list(layers.run_lengths) == masks(*flat)
    assert (layers.size, layers.object_ids) == (size, tuple(ids))
    assert layers.scores.tolist() == [place / 8 for place in range(len(rows))]


def test_flat_layers_have_no_logits_that_overlap() -> None:
    both = Segmentation(np.ones((2, 3, 5), dtype=bool), np.ones(2), [1, 2], np.ones((2, 2, 2), np.float32))
    assert flat_layers(both).low_resolution_logits is None
    assert flat_layers(both).areas.tolist() == [15, 0]


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan"), "0.7"])
def test_thresholds_beyond_0_to_1_are_refused(threshold: float) -> None:
    with pytest.raises(InvalidInputError, match="from 0 to 1"):
        box_suppression([[0, 0, 1, 1]], [0.5], threshold)
    with pytest.raises(InvalidInputError, match="from 0 to 1"):
        mask_suppression(masks("#"), [0.5], threshold)
    with pytest.raises(InvalidInputError, match="from 0 to 1"):
        without_contained(masks("#"), threshold)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"\[n, 4\]; got \[1, 3\]"):
        box_suppression([[0, 0, 1]], [0.5], 0.5)
    with pytest.raises(InvalidInputError, match="2 masks need as many scores"):
        box_suppression(HALF, [0.5], 0.5)
    with pytest.raises(InvalidInputError, match="none of them NaN"):
        mask_suppression(masks("#"), [np.nan], 0.5)
    for compare in (mask_ious, containment):
        with pytest.raises(InvalidInputError, match=r"sizes \[\(1, 1\), \(1, 2\)\]"):
            compare(masks("#"), masks("##"))
    with pytest.raises(InvalidInputError, match="the sizes"):
        mask_suppression(masks("#", "##"), [0.5, 0.5], 0.5)
    with pytest.raises(InvalidInputError, match="the sizes"):
        without_contained(masks("#", "##"))
    with pytest.raises(InvalidInputError, match=r"got \('both', 0.85"):
        without_contained(masks("#"), keep="both")  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="share above 0"):
        without_contained(masks("#"), 0.0)
