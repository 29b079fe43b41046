import numpy as np

from masklet.masks.geometry import area, bounding_box, box_fill, center_point


def mask_of(*rows):
    return np.array([[character == "#" for character in row] for row in rows])


def test_single_pixel():
    mask = mask_of("....", "..#.", "....")
    assert center_point(mask) == (2, 1)
    assert bounding_box(mask) == (2.0, 1.0, 3.0, 2.0)
    assert area(mask) == 1


def test_center_point_is_the_centre_of_a_square():
    mask = mask_of(".......", ".#####.", ".#####.", ".#####.", ".#####.", ".#####.")
    assert center_point(mask) == (3, 3)


def test_the_border_of_the_image_counts_as_outside():
    assert center_point(np.ones((5, 9), dtype=bool)) == (2, 2)


def test_center_point_lies_in_the_thickest_part():
    mask = mask_of("########.....", "########..###", "..........###", "..........###")
    assert center_point(mask) == (11, 2)


def test_empty_mask():
    empty = np.zeros((3, 4), dtype=bool)
    assert center_point(empty) is None
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
