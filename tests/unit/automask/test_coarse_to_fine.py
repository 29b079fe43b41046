"""Which points of a grid are decoded when neighbours agree, and when they do not."""

from collections.abc import Callable

import numpy as np
import pytest

from masklet.automask.coarse_to_fine import first_round, masks_of_points, second_round

SIDE = 8
ALL = np.ones((SIDE, SIDE), dtype=bool)
COARSE = np.zeros((SIDE, SIDE), dtype=bool)
COARSE[1::2, 1::2] = True


def decoded(mask_at: Callable[[int, int], int | None], is_open: np.ndarray = ALL) -> np.ndarray:
    """Which points are decoded in an image where a point leads to a mask, by its number, or to none."""
    first = first_round(is_open)
    found = {place: mask_at(*divmod(place, SIDE)) for place in np.flatnonzero(first).tolist()}
    second = second_round(
        is_open, first, {place: frozenset({mask}) for place, mask in found.items() if mask is not None}
    )
    assert not (first & second).any()
    return first | second


@pytest.mark.parametrize("mask", [None, 3])
def test_where_all_points_agree_every_second_one_does(mask: int | None) -> None:
    np.testing.assert_array_equal(decoded(lambda row, column: mask), COARSE)


def test_the_border_of_two_masks_is_decoded() -> None:
    is_decoded = decoded(lambda row, column: int(column >= 4))
    assert is_decoded[:, 3:6].all()
    np.testing.assert_array_equal(is_decoded[:, [0, 1, 2, 6, 7]], COARSE[:, [0, 1, 2, 6, 7]])


def test_around_a_mask_of_one_point_all_are_decoded() -> None:
    is_decoded = decoded(lambda row, column: 1 if (row, column) == (3, 3) else None)
    assert is_decoded[1:6, 1:6].all()
    np.testing.assert_array_equal(is_decoded[6:], COARSE[6:])


def test_points_of_several_masks_disagree_with_those_of_one_of_them() -> None:
    leads_to = {place: frozenset({1}) for place in np.flatnonzero(COARSE).tolist()}
    assert not second_round(ALL, COARSE, leads_to).any()
    leads_to[3 * SIDE + 3] = frozenset({1, 2})
    assert second_round(ALL, COARSE, leads_to)[3, 2]


def test_closed_points_are_never_decoded() -> None:
    is_open = ALL.copy()
    is_open[:, :4] = False
    is_decoded = decoded(lambda row, column: SIDE * row + column, is_open)
    assert (is_decoded & is_open).any()
    assert not (is_decoded & ~is_open).any()
    is_open[1::2, 1::2] = False  # no neighbour: nothing is known
    np.testing.assert_array_equal(decoded(lambda row, column: None, is_open), is_open)


def test_a_single_point_is_decoded() -> None:
    one = np.ones((1, 1), dtype=bool)
    assert not first_round(one).any()
    assert second_round(one, first_round(one), {}).all()


def test_points_stand_for_the_masks_that_suppressed_theirs() -> None:
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 9], [20, 0, 30, 10], [0, 0, 10, 10.5]])
    found = masks_of_points(boxes, [4, 4, 4, 6], np.array([1, 2]), 0.7)
    assert found == {4: frozenset({1, 2}), 6: frozenset({1})}
