import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from masklet.errors import InvalidMaskError
from masklet.evaluation.vos.scores import (
    CountingRule,
    FrameScores,
    Statistics,
    boundary,
    boundary_agreement,
    counted_frames,
    statistics,
    without_ends,
)

EMPTY = np.zeros((40, 60), dtype=bool)
DRAWN = EMPTY.copy()
DRAWN[15:25, 20:30] = True
SHIFTED = np.roll(DRAWN, 3, axis=1)  # J = 70 / 130; F = 0.5, see test_shifted_squares


def frames(*pairs):
    return [FrameScores.between(*pair) for pair in pairs]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.6], Statistics(0.6, 1.0, 0.0)),
        ([0.5, 0.25], Statistics(0.375, 0.0, 0.25)),
        # Quarters of eight values: [0:3] and [5:8], as the borders 1, 2.75, 4.5, 6.25, 8 are rounded and both included.
        ([1.0, 1.0, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2], Statistics(0.5875, 0.5, 0.9 - 0.3)),
        (np.r_[np.ones(300), np.zeros(300)], Statistics(0.5, 0.5, 1.0)),
    ],
    ids=["one", "two", "eight", "more than 256"],
)
def test_statistics(values, expected):
    found = statistics(values)
    np.testing.assert_allclose(
        (found.mean, found.recall, found.decay), (expected.mean, expected.recall, expected.decay), atol=1e-12
    )


def mean_j(counted):
    return np.mean([each.j for each in counted])


def test_the_first_and_the_last_frame_are_not_measured():
    assert [without_ends(list(range(count))) for count in range(5)] == [[], [], [], [1], [1, 2]]


def test_j_and_f_of_a_frame():
    equal, shifted = frames((DRAWN, DRAWN), (DRAWN, SHIFTED))
    assert (equal.j, equal.f) == (1, 1)
    assert (shifted.j, shifted.f) == (pytest.approx(70 / 130), pytest.approx(0.5))
    assert shifted.j_and_f == pytest.approx((70 / 130 + 0.5) / 2)


def test_frames_without_the_object():
    given = frames((EMPTY, EMPTY), (DRAWN, SHIFTED), (EMPTY, EMPTY))
    assert mean_j(counted_frames(given, CountingRule.DAVIS)) == pytest.approx((1 + 70 / 130 + 1) / 3)
    assert mean_j(counted_frames(given, CountingRule.APPEARANCE)) == pytest.approx((70 / 130 + 1) / 2)


def test_a_false_alarm_is_an_appearance():
    given = frames((EMPTY, DRAWN), (DRAWN, DRAWN))
    assert mean_j(counted_frames(given, CountingRule.APPEARANCE)) == pytest.approx(0.5)


@pytest.mark.parametrize("predicted", [EMPTY, DRAWN])
def test_an_object_that_the_truth_never_shows_where_it_counts(predicted):
    given = frames((EMPTY, predicted), (EMPTY, EMPTY))
    assert len(counted_frames(given, CountingRule.DAVIS)) == 2
    assert not counted_frames(given, CountingRule.APPEARANCE)


def mask(*rows: str) -> np.ndarray:
    return np.array([[sign == "#" for sign in row] for row in rows])


def square(left: int, top: int, side: int = 10, height: int = 40, width: int = 60) -> np.ndarray:
    drawn = np.zeros((height, width), dtype=bool)
    drawn[top : top + side, left : left + side] = True
    return drawn


@pytest.mark.parametrize(
    ("drawn", "outline"),
    [
        (mask("....", "..#.", "...."), mask(".##.", ".##.", "....")),
        (mask("####", "####", "####"), mask("....", "....", "....")),
        (mask("##..", "##..", "##.."), mask(".#..", ".#..", ".#..")),
        (mask("....", "....", "..##"), mask("....", ".###", ".#..")),
    ],
    ids=["pixel", "full", "left half", "lower right corner"],
)
def test_outline(drawn, outline):
    np.testing.assert_array_equal(boundary(drawn), outline)


# The outline of a square of 10 pixels is a ring of 40. Outlines agree within one pixel here: 0.8 % of 72 rounded up.
@pytest.mark.parametrize(
    ("right", "expected"),
    [
        (0, 1.0),
        (1, 1.0),
        (3, (2 * 9 + 2) / 40),  # the upper and lower sides less two pixels each, and what is beside their ends
        (12, 0.0),
    ],
)
def test_shifted_squares(right, expected):
    assert boundary_agreement(square(20, 15), square(20 + right, 15)) == pytest.approx(expected)
    assert boundary_agreement(square(20 + right, 15), square(20, 15)) == pytest.approx(expected)


def test_the_reach_grows_with_the_image():
    small, large = square(100, 100, height=200, width=220), square(100, 100, height=2000, width=2200)
    shifted = [np.roll(each, 20, axis=1) for each in (small, large)]  # reaches of 3 and 24 pixels
    assert boundary_agreement(small, shifted[0]) == 0
    assert boundary_agreement(large, shifted[1]) == 1


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [(False, False, 1.0), (True, True, 1.0), (True, False, 1.0)],
    ids=["both empty", "both full", "full and empty have no outline either"],
)
def test_masks_without_an_outline(first, second, expected):
    assert boundary_agreement(np.full((8, 9), first), np.full((8, 9), second)) == expected


def test_one_mask_without_an_outline():
    empty, drawn = np.zeros((40, 60), dtype=bool), square(20, 15)
    assert boundary_agreement(empty, drawn) == boundary_agreement(drawn, empty) == 0


def plain_agreement(first: np.ndarray, second: np.ndarray) -> float:
    """The definition, pixel by pixel."""
    height, width = first.shape
    reach = np.ceil(0.008 * np.hypot(height, width))

    def outline(drawn):
        pixels = [(y, x) for y in range(height) for x in range(width)]
        below = {
            (y, x): [(min(y + dy, height - 1), min(x + dx, width - 1)) for dy in (0, 1) for dx in (0, 1)]
            for y, x in pixels
        }
        return [pixel for pixel in pixels if any(drawn[each] != drawn[pixel] for each in below[pixel])]

    def share(these, others):
        return np.mean([any(np.hypot(y - b, x - a) <= reach for b, a in others) for y, x in these])

    outlines = outline(first), outline(second)
    if not all(outlines):
        return float(not any(outlines))
    one, other = share(*outlines), share(*outlines[::-1])
    return 2 * one * other / (one + other) if one + other else 0.0


small_masks = st.tuples(st.integers(1, 8), st.integers(1, 8)).flatmap(
    lambda shape: st.tuples(arrays(bool, shape), arrays(bool, shape))
)


@given(small_masks)
def test_agrees_with_the_definition(pair):
    assert boundary_agreement(*pair) == pytest.approx(plain_agreement(*pair))


@given(small_masks)
def test_a_mask_agrees_with_itself_and_the_order_does_not_matter(pair):
    first, second = pair
    assert boundary_agreement(first, first) == 1
    assert boundary_agreement(first, second) == pytest.approx(boundary_agreement(second, first))


def test_only_bool_masks_of_one_shape_are_compared():
    drawn = square(20, 15)
    with pytest.raises(InvalidMaskError, match="uint8"):
        boundary_agreement(drawn.astype(np.uint8), drawn)
    with pytest.raises(InvalidMaskError, match=r"\(39, 60\)"):
        boundary_agreement(drawn[1:], drawn)
