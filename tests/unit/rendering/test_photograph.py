"""Which things and parts of an image become objects."""

import numpy as np
from rendering.photograph import Photograph


def photograph(side: int = 200) -> Photograph:
    blank = np.zeros((side, side), np.uint8)
    return Photograph(np.zeros((side, side, 3), np.uint8), blank.copy(), blank.copy())


def test_specks_and_what_fills_the_image_are_no_objects() -> None:
    seen = photograph()
    seen.numbers[:] = 1
    seen.numbers[:5, :5] = 2
    seen.numbers[50:60, 50:60] = 3
    (mask,) = seen.masks()
    np.testing.assert_array_equal(mask, seen.numbers == 3)


def test_pieces_of_one_material_are_parts_of_a_large_thing() -> None:
    seen = photograph()
    seen.numbers[20:120, 20:120], seen.parts[20:120, 20:120] = 7, 1
    seen.parts[40:60, 30:50] = seen.parts[40:60, 80:110] = 2  # two windows
    seen.parts[100:103, 100:103] = 3  # a speck
    whole, *parts = seen.masks()
    assert whole.sum() == 10_000
    assert [int(each.sum()) for each in parts] == [600, 400]  # and not the frame, which is nearly everything


def test_small_things_have_no_parts() -> None:
    seen = photograph()
    seen.numbers[:60, :60], seen.parts[:60, :60] = 1, 1
    seen.parts[:30, :60] = 2
    assert len(list(seen.masks())) == 1


def test_a_photograph_shows_several_things_or_a_large_one() -> None:
    seen = photograph()
    assert not seen.is_worth_keeping
    for number in range(1, 4):
        seen.numbers[:30, 40 * number : 40 * number + 30] = number
    assert not seen.is_worth_keeping
    seen.numbers[60:90, 40:70] = 4
    assert seen.is_worth_keeping
    seen.numbers[:] = 0
    seen.numbers[:100, :100] = 1
    assert seen.is_worth_keeping
    seen.numbers[:] = 1
    assert not seen.is_worth_keeping
