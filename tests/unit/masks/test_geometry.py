import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from masklet.masks.geometry import area, bounding_box, box_fill, deepest_point, longer_side, surroundings


def mask_of(*rows):
    return np.array([[character == "#" for character in row] for row in rows])


def test_single_pixel():
    mask = mask_of("....", "..#.", "....")
    assert deepest_point(mask) == (2, 1)
    assert bounding_box(mask) == (2.0, 1.0, 3.0, 2.0)
    assert area(mask) == 1


def test_deepest_point_is_the_centre_of_a_square():
    mask = mask_of(".......", ".#####.", ".#####.", ".#####.", ".#####.", ".#####.")
    assert deepest_point(mask) == (3, 3)


def test_the_border_of_the_picture_counts_as_outside():
    assert deepest_point(np.ones((5, 9), dtype=bool)) == (2, 2)


def test_deepest_point_lies_in_the_thickest_part():
    mask = mask_of("########.....", "########..###", "..........###", "..........###")
    assert deepest_point(mask) == (11, 2)


def test_empty_mask():
    empty = np.zeros((3, 4), dtype=bool)
    assert deepest_point(empty) is None
    assert bounding_box(empty) is None
    assert area(empty) == 0


def test_box_of_separate_parts():
    assert bounding_box(mask_of("#...", "....", "...#")) == (0.0, 0.0, 4.0, 3.0)


def test_box_fill_is_the_share_of_the_box():
    mask = np.zeros((9, 12), bool)
    assert box_fill(mask) == 0
    mask[2:4, 3:9] = True
    assert box_fill(mask) == 1
    mask[6, 3] = True  # the box grows to 5 x 6
    assert box_fill(mask) == 13 / 30


def test_surroundings_are_a_square_about_the_box():
    assert surroundings((20, 30, 60, 50), 56, 120, 200) == (12, 12, 68, 68)
    assert longer_side((20, 30, 60, 50)) == 40


@given(
    left=st.floats(-50, 250),
    top=st.floats(-50, 150),
    size=st.tuples(st.floats(0.5, 80), st.floats(0.5, 80)),
    slack=st.floats(1, 3),
)
def test_surroundings_lie_in_the_picture_and_hold_what_it_shows_of_the_box(left, top, size, slack):
    height, width = 120, 200
    box = (left, top, left + size[0], top + size[1])
    x1, y1, x2, y2 = surroundings(box, slack * longer_side(box), height, width)
    assert 0 <= x1 < x2 <= width
    assert 0 <= y1 < y2 <= height
    shown = (max(box[0], 0), max(box[1], 0), min(box[2], width), min(box[3], height))
    if shown[0] < shown[2] and shown[1] < shown[3]:
        assert x1 <= shown[0] + 1e-9
        assert y1 <= shown[1] + 1e-9
        assert x2 >= shown[2] - 1e-9
        assert y2 >= shown[3] - 1e-9
