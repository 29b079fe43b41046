"""Crops of crop refinement and of the training for it."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from masklet.masks.views import View, crop_side, longer_side, surroundings, windows_around


def test_surroundings_are_a_square_about_the_box():
    assert surroundings((20, 30, 60, 50), 56, 120, 200) == (12, 12, 68, 68)
    assert longer_side((20, 30, 60, 50)) == 40


@given(
    left=st.floats(-50, 250),
    top=st.floats(-50, 150),
    size=st.tuples(st.floats(0.5, 80), st.floats(0.5, 80)),
    slack=st.floats(1, 3),
)
def test_surroundings_lie_in_the_image_and_hold_what_it_shows_of_the_box(left, top, size, slack):
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


@pytest.mark.parametrize(
    ("box", "reach", "side"),
    [
        ((20, 30, 60, 50), 1.4, 56.0),
        ((20, 30, 22, 31), 1.4, 32.0),
        ((0, 0, 114, 10), 1.4, 159.6),  # within 0.8 of the longer side, 160
        ((0, 0, 115, 10), 1.4, None),
        ((20, 30, 60, 50), 3.0, 120.0),
    ],
)
def test_the_side_of_a_crop(box, reach, side):
    assert crop_side(box, reach, 120, 200) == (side if side is None else pytest.approx(side))


def test_a_view_shows_points_on_its_edges():
    view = View(2, 3, 6, 8)
    assert view.size == (5, 4)
    assert view.shows(np.array([[2, 3], [6, 8], [1.9, 4], [3, 8.1]])).tolist() == [True, True, False, False]
    assert view.places(np.float32([[3, 5]])).tolist() == [[1, 2]]
    np.testing.assert_array_equal(view.of(np.arange(100).reshape(1, 10, 10))[0, 0], [32, 33, 34, 35])


def test_windows_leave_a_margin_and_end_at_the_border():
    masks = torch.zeros(3, 100, 100, dtype=torch.bool)
    masks[0, 40:80, 30:34] = True
    masks[1, :4, 50:90] = True
    assert windows_around(masks).tolist() == [[22, 30, 42, 90], [40, 0, 100, 12], [0, 0, 100, 100]]
