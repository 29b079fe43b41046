"""Masks seen from near."""

import torch
import torch.nn.functional as F
from torch import Tensor

from masklet.training.supply.close_ups import SIDE, CloseUps, joined

PIXELS = 128


def mask_of(left: int, top: int, right: int, bottom: int) -> Tensor:
    mask = torch.zeros(PIXELS, PIXELS, dtype=torch.bool)
    mask[top:bottom, left:right] = True
    return mask


def test_a_window_is_the_box_with_a_quarter_of_its_side_around_it_and_two_cells_at_least() -> None:
    masks = torch.stack([mask_of(40, 32, 80, 96), mask_of(60, 50, 62, 53)])
    windows = CloseUps.of(masks).windows * PIXELS
    assert windows.tolist() == [[30, 16, 90, 112], [52, 42, 70, 61]]


def test_windows_end_with_the_picture_and_an_empty_mask_is_seen_whole() -> None:
    close_ups = CloseUps.of(torch.stack([mask_of(0, 100, 5, 128), torch.zeros(PIXELS, PIXELS, dtype=torch.bool)]))
    assert (close_ups.windows * PIXELS).tolist() == [[0, 92, 13, 128], [0, 0, 128, 128]]
    assert not close_ups.inside[1].any()


def test_places_are_pixels_of_the_mask() -> None:
    """A window of 64 x 32 pixels: every place is a pixel across, and two are a pixel down."""
    mask = torch.rand(PIXELS, PIXELS, generator=torch.Generator().manual_seed(0)) > 0.5
    mask[:, :24] = mask[:, 64:] = mask[:40] = mask[56:] = False
    mask[40, 24] = mask[55, 63] = True
    close_ups = CloseUps.of(mask[None])
    left, top, right, bottom = (close_ups.windows[0] * PIXELS).int().tolist()
    assert (right - left, bottom - top) == (60, 32)
    columns = (left + (torch.arange(SIDE) + 0.5) * 60 / SIDE).long()
    assert torch.equal(close_ups.inside[0], mask[top:bottom].repeat_interleave(2, 0)[:, columns])


def test_answers_are_interpolated_between_cells_as_for_users() -> None:
    """The window of an object that fills a picture of 64 x 64 pixels has its pixels for places."""
    logits = torch.randn(2, 3, 4, 16, 16, generator=torch.Generator().manual_seed(0))
    near = CloseUps.of(torch.ones(2, 3, SIDE, SIDE, dtype=torch.bool)).of_answers(logits)
    torch.testing.assert_close(
        near, F.interpolate(logits.flatten(0, 1), scale_factor=4.0, mode="bilinear").view_as(near)
    )


def test_each_window_sees_its_own_part_of_its_own_answers() -> None:
    x = (torch.arange(32) + 0.5).expand(32, 32)
    logits = torch.stack([torch.stack([x, x.T]), torch.stack([x + 100, x.T + 200])])  # rows and columns, as values
    close_ups = CloseUps.of(torch.stack([mask_of(40, 32, 80, 96), mask_of(60, 50, 62, 53)]))
    near = close_ups.of_answers(logits)
    steps = (torch.arange(SIDE) + 0.5) / SIDE
    torch.testing.assert_close(near[0, 0], (7.5 + 15 * steps).expand(SIDE, SIDE))
    torch.testing.assert_close(near[0, 1], (4 + 24 * steps)[:, None].expand(SIDE, SIDE))
    torch.testing.assert_close(near[1, 0], (113 + 4.5 * steps).expand(SIDE, SIDE))
    torch.testing.assert_close(near[1, 1], (210.5 + 4.75 * steps)[:, None].expand(SIDE, SIDE))


def test_cells_outside_have_their_middle_outside() -> None:
    close_ups = CloseUps.of(mask_of(41, 32, 80, 96)[None])  # from 31.25 to 89.75 and from 16 to 112
    outside = close_ups.cells_outside(32, 32)[0]
    inside = ~outside
    assert inside.any(0).nonzero().flatten().tolist() == list(range(8, 22))  # middles from 34 to 86
    assert inside.any(1).nonzero().flatten().tolist() == list(range(4, 28))
    assert inside.sum() == 14 * 24


def test_places_of_a_window_stand_for_its_area() -> None:
    close_ups = CloseUps.of(torch.stack([mask_of(40, 32, 80, 96), mask_of(0, 0, 128, 128)]))
    assert (close_ups.place_area() * SIDE**2 * PIXELS**2).tolist() == [60 * 96, PIXELS**2]


def test_joined_and_taken_apart() -> None:
    one, other = CloseUps.of(mask_of(4, 4, 20, 20)[None]), CloseUps.of(mask_of(40, 32, 80, 96)[None])
    both = joined([one, other])
    again = both.map(lambda each: each[1:])
    assert torch.equal(again.windows, other.windows)
    assert torch.equal(again.inside, other.inside)
