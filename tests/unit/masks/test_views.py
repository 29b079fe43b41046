"""Crops of crop refinement and of the training for it."""

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from masklet.masks.views import (
    View,
    crop_side,
    enlarged,
    following_views,
    longer_side,
    seen_from,
    surroundings,
    view_about,
    windows_around,
)

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def test_surroundings_are_a_square_about_the_box():
    assert surroundings((20, 30, 60, 50), 56, 120, 200) == (12, 12, 68, 68)
    assert longer_side((20, 30, 60, 50)) == 40


@UNHURRIED
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


def square(left: float, top: float, side: float = 10) -> tuple[float, float, float, float]:
    return left, top, left + side, top + side


def test_a_view_begins_about_its_object_and_stays_while_that_has_room():
    (view,) = following_views([square(100, 60)], [None], 120, 200)
    assert view == View(85, 45, 125, 85)
    assert following_views([square(107, 53)], [view], 120, 200) == [view]
    assert following_views([square(108, 60)], [view], 120, 200) == [View(93, 45, 133, 85)]
    assert following_views([None], [view], 120, 200) == [view]


def test_at_the_border_there_is_no_room_to_ask_for():
    (view,) = following_views([square(190, 0)], [None], 120, 200)
    assert view == View(160, 0, 200, 40)
    assert following_views([square(190, 5)], [view], 120, 200) == [view]


@pytest.mark.parametrize(("side", "stays"), [(20, True), (28, True), (32, False), (14, True), (12, False)])
def test_a_view_follows_the_size_of_its_object(side, stays):
    view, box = View(160, 80, 240, 160), square(200 - side / 2, 120 - side / 2, side)
    expected = view if stays else view_about(box, 4, 240, 400)
    assert following_views([box], [view], 240, 400) == [expected]


def test_no_view_is_smaller_than_32_pixels():
    assert following_views([square(100, 60, 3)], [None], 120, 200) == [View(86, 46, 118, 78)]


def test_large_objects_are_seen_in_the_whole_frame_until_they_are_small():
    assert following_views([square(80, 30, 50)], [None], 120, 200) == [None]
    assert following_views([square(80, 30, 27)], [None], 120, 200) == [None]
    assert following_views([square(80, 30, 26)], [None], 120, 200) == [View(41, 0, 145, 104)]
    assert following_views([square(60, 10, 60)], [View(41, 0, 145, 104)], 120, 200) == [None]


def test_near_objects_of_like_size_share_a_view():
    boxes = [square(200, 120, 20), square(214, 122, 20), square(210, 130, 9), square(330, 120, 20), None]
    first, second, smaller, far, unseen = following_views(boxes, [None] * 5, 240, 400)
    assert first == second == View(170, 90, 250, 170)
    assert (smaller, far) == (View(196, 116, 232, 152), View(300, 90, 380, 170))
    assert unseen is None
    assert following_views([boxes[1]], [None], 240, 400, others=[far, first]) == [first]
    # The one that leaves its view joins another's that stays, before or behind it in the list.
    moved = [square(316, 120, 20), *boxes[1:]]
    assert following_views(moved, [first, second, smaller, far, None], 240, 400) == [far, second, smaller, far, None]


@UNHURRIED
@given(
    left=st.floats(0, 190),
    top=st.floats(0, 110),
    side=st.floats(1, 60),
    steps=st.lists(st.tuples(*[st.floats(-9, 9)] * 2)),
)
def test_a_followed_object_is_always_in_its_view(left, top, side, steps):
    view = None
    for x, y in [(0.0, 0.0), *steps]:
        left, top = min(max(left + x, 0), 190), min(max(top + y, 0), 110)
        x1, y1, x2, y2 = square(left, top, side)
        box = (x1, y1, min(x2, 200), min(y2, 120))
        (view,) = following_views([box], [view], 120, 200)
        if view is not None:
            assert view.left <= box[0] + 0.5
            assert view.top <= box[1] + 0.5
            assert view.right >= box[2] - 0.5
            assert view.bottom >= box[3] - 0.5
            assert 0 <= view.left < view.right <= 200
            assert 0 <= view.top < view.bottom <= 120


def test_logits_seen_from_another_view_lie_where_they_were():
    ramp = torch.arange(64.0).expand(1, 64, 64) / 8 - 4  # by the column, in a view of 64 x 64 pixels at (32, 16)
    own = View(32, 16, 96, 80)
    torch.testing.assert_close(seen_from(ramp, own, own), ramp)
    nearer = seen_from(ramp, own, View(40, 24, 72, 56))[0, 5]
    torch.testing.assert_close(nearer[1:-1], torch.arange(1, 63) / 16 + 8 / 8 - 4 - 1 / 32, atol=0.04, rtol=0)
    wider = seen_from(ramp, own, View(0, 0, 128, 128))[0]
    assert (wider[:7] == -10).all()
    assert (wider[:, :15] == -10).all()
    torch.testing.assert_close(wider[20, 18:46], (torch.arange(18, 46) - 16) / 4 - 4 + 1 / 16, atol=0.04, rtol=0)


def test_a_dot_of_one_pixel_is_not_lost_in_a_wider_view():
    dot = torch.full((1, 64, 64), -10.0)
    dot[0, 28, 28] = 1200
    found = seen_from(dot, View(30, 30, 38, 38), View(0, 0, 64, 64))[0]
    assert (found > 0).nonzero().tolist() == [[33, 33]]


def test_logits_of_a_view_are_enlarged_where_it_lies():
    logits = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    found = enlarged(logits, (6, 8), View(2, 1, 4, 3))
    torch.testing.assert_close(found[1:3, 2:4], logits)
    assert (found == -10).sum() == 6 * 8 - 4
    assert enlarged(logits, (4, 4)).shape == (4, 4)
