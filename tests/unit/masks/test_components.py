"""Holes are filled and specks removed: per mask, 8-connected, by area."""

import numpy as np
import pytest
import torch
from torch import Tensor

from masklet.errors import InvalidMaskError
from masklet.masks.components import (
    enclosed_holes,
    fill_enclosed_holes,
    fill_holes_and_remove_specks,
    pieces_of,
    without_small_regions,
)


def drawn(*rows: str) -> Tensor:
    """Logits of one mask: `#` is +3, `.` is -2, `0` is exactly 0."""
    return torch.tensor([[{"#": 3.0, ".": -2.0, "0": 0.0}[sign] for sign in row] for row in rows])[None]


MASK = drawn(
    "########....",
    "#.####.#....",
    "######.#.##.",
    "########....",
    "############",
)


def test_holes_up_to_the_area_become_foreground() -> None:
    edited = fill_holes_and_remove_specks(MASK, max_hole_area=1)
    changed = (edited != MASK).nonzero().tolist()
    assert changed == [[0, 1, 1]]
    assert edited[0, 1, 1] == 10
    assert (fill_holes_and_remove_specks(MASK, max_hole_area=2) != MASK).sum() == 3
    assert (fill_holes_and_remove_specks(MASK, max_hole_area=100)[0] > 0).all()


def test_specks_up_to_the_area_become_background() -> None:
    assert torch.equal(fill_holes_and_remove_specks(MASK, max_sprinkle_area=1), MASK)
    edited = fill_holes_and_remove_specks(MASK, threshold=1.0, max_sprinkle_area=2)
    assert (edited != MASK).nonzero().tolist() == [[0, 2, 9], [0, 2, 10]]
    assert (edited[0, 2, 9:11] == -9).all()


def test_diagonal_neighbours_are_connected() -> None:
    diagonal = drawn("#...", ".#..", "....", "...#")
    edited = fill_holes_and_remove_specks(diagonal, max_sprinkle_area=1)
    assert (edited[0] > 0).nonzero().tolist() == [[0, 0], [1, 1]]


def test_a_logit_on_the_threshold_is_background() -> None:
    edited = fill_holes_and_remove_specks(drawn("###", "#0#", "###"), max_hole_area=1)
    assert edited[0, 1, 1] == 10


def test_each_mask_is_treated_alone() -> None:
    full, holed = torch.full((3, 3), 3.0), drawn("###", "#.#", "###")[0]
    edited = fill_holes_and_remove_specks(torch.stack([holed, -full, full]), max_hole_area=1, max_sprinkle_area=1)
    assert (edited[0] > 0).all()
    assert torch.equal(edited[1:], torch.stack([-full, full]))


def test_holes_and_specks_are_both_found_in_the_mask_as_given() -> None:
    """A ring of 8 pixels around a hole of 1: filling the hole first would make a component of 9."""
    ring = drawn(".....", ".###.", ".#.#.", ".###.", ".....")
    edited = fill_holes_and_remove_specks(ring, max_hole_area=1, max_sprinkle_area=8)
    assert (edited > 0).nonzero().tolist() == [[0, 2, 2]]


def test_the_input_stays_and_zero_areas_change_nothing() -> None:
    before = MASK.clone()
    fill_holes_and_remove_specks(MASK, max_hole_area=5, max_sprinkle_area=5)
    assert torch.equal(MASK, before)
    assert torch.equal(fill_holes_and_remove_specks(MASK), MASK)


def test_half_precision_keeps_its_dtype() -> None:
    edited = fill_holes_and_remove_specks(MASK.bfloat16(), max_hole_area=1)
    assert edited.dtype == torch.bfloat16
    assert edited[0, 1, 1] == 10


@pytest.mark.parametrize("masks", [torch.zeros(3, 3), torch.zeros(1, 1, 3, 3), torch.zeros(1, 3, 3, dtype=torch.bool)])
def test_other_tensors_are_refused(masks: Tensor) -> None:
    with pytest.raises(InvalidMaskError, match=r"\[N, h, w\]"):
        fill_holes_and_remove_specks(masks, max_hole_area=1)


RINGS = drawn(
    ".##########.",
    ".#..#######.",
    ".##########.",
    "##.########.",
    "#.#########.",
    ".##########.",
    "......####..",
    "......#..#..",
    "......####..",
    ".........#0#",
)  # holes of 2, 1, 1 and 2 pixels; open are the corner's, which hangs together with the outside, and the border's


def test_enclosed_holes_up_to_a_share_of_what_the_outline_encloses_are_filled() -> None:
    inside = RINGS[0].numpy() > 0
    enclosed = inside.sum() + 4
    found = np.argwhere(enclosed_holes(inside, 2 / enclosed)).tolist()
    assert found == [[1, 2], [1, 3], [7, 7], [7, 8]]
    assert not enclosed_holes(inside, 1.999 / enclosed).any()
    assert not enclosed_holes(np.zeros((3, 4), bool), 1.0).any()
    assert not enclosed_holes(np.ones((3, 4), bool), 1.0).any()


def test_filled_logits_are_above_the_threshold_and_the_others_as_they_were() -> None:
    filled = fill_enclosed_holes(RINGS, 0.5)
    changed = filled != RINGS
    assert changed[0].nonzero().tolist() == [[1, 2], [1, 3], [7, 7], [7, 8]]
    assert (filled[changed] == 10).all()
    assert fill_enclosed_holes(RINGS, 0.0) is RINGS
    assert RINGS[0, 1, 2] == -2  # the given ones are not written into


@pytest.mark.parametrize(
    ("x", "y", "still_open"),
    [
        (2.5, 1.5, [[1, 2], [1, 3]]),
        (3.9, 1.5, [[1, 2], [1, 3]]),
        (1.6, 0.6, [[1, 2], [1, 3]]),  # on the mask, nearer than a pixel to the middle of one of the hole's
        (1.4, 1.5, []),
        (0.0, 0.0, []),
        (12.0, 10.0, []),
    ],
)
def test_a_hole_with_a_point_in_it_stays(x: float, y: float, still_open: list[list[int]]) -> None:
    every = enclosed_holes(RINGS[0].numpy() > 0, 1.0)
    some = enclosed_holes(RINGS[0].numpy() > 0, 1.0, [[x, y]])
    assert np.argwhere(every & ~some).tolist() == still_open
    assert not (some & ~every).any()


def test_each_mask_has_points_of_its_own() -> None:
    twice = RINGS.expand(2, -1, -1)
    filled = fill_enclosed_holes(twice, 1.0, [[], [[2.5, 1.5]]])
    assert filled[0, 1, 2] == 10
    assert filled[1, 1, 2] == -2
    assert filled[1, 7, 7] == 10


def pixels(text: str) -> np.ndarray:
    return np.array([[sign == "#" for sign in row] for row in text.split()])


@pytest.mark.parametrize(
    ("before", "area", "after", "is_changed"),
    [
        ("##### #...# ##### .....", 3, "##### #...# ##### .....", False),  # a hole of 3 is none of fewer than 3
        ("##### #...# ##### .....", 3.5, "##### ##### ##### .....", True),
        ("##### #...# ##### .....", 4, "##### ##### ##### .....", True),
        ("####. ####. .....", 6, "####. ####. .....", False),  # the corner of 7 pixels
        ("####. ####. .....", 8, "##### ##### #####", True),  # at the border it is a hole, too
        ("###.. ###.# .....", 1, "###.. ###.# .....", False),
        ("###.. ###.# .....", 2, "###.. ###.. .....", True),
        ("###.. ###.. ...#. .....", 2, "###.. ###.. ...#. .....", False),  # diagonal neighbours
        # Holes first: the ring of 8 around a hole of 1 is an island of 9.
        (
            "......... .###..... .#.#..... .###..... .........",
            9,
            "......... .###..... .###..... .###..... .........",
            True,
        ),
        # Of islands that are all small the largest stays, of equal ones the first; so does one that is small alone.
        ("#...... ....... ...##.. ....... #......", 5, "....... ....... ...##.. ....... .......", True),
        ("#...... ....... ......# ....... .......", 5, "#...... ....... ....... ....... .......", True),
        ("......# ....... ....... ....... .......", 5, "......# ....... ....... ....... .......", True),
        ("....... ....... ....... ....... .......", 5, "....... ....... ....... ....... .......", False),
        ("##. ##.", 0, "##. ##.", False),
        ("#.# #.#", 3, "### ###", True),  # the gap of 2 is a hole
    ],
)
def test_small_regions_go_as_in_the_first_sam(before: str, area: float, after: str, is_changed: bool) -> None:
    mask = pixels(before)
    given = mask.copy()
    cleaned, was_changed = without_small_regions(mask, area)
    assert (cleaned == pixels(after)).all()
    assert was_changed is is_changed
    assert (mask == given).all()


def test_pieces_touch_at_no_corner_and_have_a_share() -> None:
    mask = np.zeros((10, 12), dtype=bool)
    mask[:4, :5] = mask[4, 5] = mask[6:9, 7:12] = mask[9, 0] = True
    assert pieces_of(mask) == 3
    assert pieces_of(mask, least_share=0.1) == 2
    assert pieces_of(np.zeros((3, 3), dtype=bool)) == 0
