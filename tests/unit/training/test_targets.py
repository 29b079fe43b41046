"""Soft targets and object crops."""

import torch
import torch.nn.functional as F
from torch import Tensor

from masklet.training.targets import SIDE, CropTargets, binary_targets, concatenated, target_logits

PIXELS = 128


def mask_of(left: int, top: int, right: int, bottom: int) -> Tensor:
    mask = torch.zeros(PIXELS, PIXELS, dtype=torch.bool)
    mask[top:bottom, left:right] = True
    return mask


def test_a_crop_is_the_box_with_a_quarter_of_its_side_around_it_and_two_low_resolution_pixels_at_least() -> None:
    masks = torch.stack([mask_of(40, 32, 80, 96), mask_of(60, 50, 62, 53)])
    windows = CropTargets.of(masks).windows * PIXELS
    assert windows.tolist() == [[30, 16, 90, 112], [52, 42, 70, 61]]


def test_crops_end_with_the_image_and_that_of_an_empty_mask_is_the_whole_image() -> None:
    crops = CropTargets.of(torch.stack([mask_of(0, 100, 5, 128), torch.zeros(PIXELS, PIXELS, dtype=torch.bool)]))
    assert (crops.windows * PIXELS).tolist() == [[0, 92, 13, 128], [0, 0, 128, 128]]
    assert not crops.inside[1].any()


def test_sample_points_are_pixels_of_the_mask() -> None:
    """A crop of 64 x 32 pixels: every sample point is a pixel across, and two are a pixel down."""
    mask = torch.rand(PIXELS, PIXELS, generator=torch.Generator().manual_seed(0)) > 0.5
    mask[:, :24] = mask[:, 64:] = mask[:40] = mask[56:] = False
    mask[40, 24] = mask[55, 63] = True
    crops = CropTargets.of(mask[None])
    left, top, right, bottom = (crops.windows[0] * PIXELS).int().tolist()
    assert (right - left, bottom - top) == (60, 32)
    columns = (left + (torch.arange(SIDE) + 0.5) * 60 / SIDE).long()
    assert torch.equal(crops.inside[0], mask[top:bottom].repeat_interleave(2, 0)[:, columns])


def test_logits_are_interpolated_between_pixels_as_for_users() -> None:
    """The crop of an object that fills an image of 64 x 64 pixels has its pixels for sample points."""
    logits = torch.randn(2, 3, 4, 16, 16, generator=torch.Generator().manual_seed(0))
    sampled = CropTargets.of(torch.ones(2, 3, SIDE, SIDE, dtype=torch.bool)).sample_logits(logits)
    torch.testing.assert_close(
        sampled, F.interpolate(logits.flatten(0, 1), scale_factor=4.0, mode="bilinear").view_as(sampled)
    )


def test_each_crop_has_its_own_part_of_its_own_logits() -> None:
    x = (torch.arange(32) + 0.5).expand(32, 32)
    logits = torch.stack([torch.stack([x, x.T]), torch.stack([x + 100, x.T + 200])])  # rows and columns, as values
    crops = CropTargets.of(torch.stack([mask_of(40, 32, 80, 96), mask_of(60, 50, 62, 53)]))
    sampled = crops.sample_logits(logits)
    steps = (torch.arange(SIDE) + 0.5) / SIDE
    torch.testing.assert_close(sampled[0, 0], (7.5 + 15 * steps).expand(SIDE, SIDE))
    torch.testing.assert_close(sampled[0, 1], (4 + 24 * steps)[:, None].expand(SIDE, SIDE))
    torch.testing.assert_close(sampled[1, 0], (113 + 4.5 * steps).expand(SIDE, SIDE))
    torch.testing.assert_close(sampled[1, 1], (210.5 + 4.75 * steps)[:, None].expand(SIDE, SIDE))


def test_pixels_outside_have_their_center_outside() -> None:
    crops = CropTargets.of(mask_of(41, 32, 80, 96)[None])  # from 31.25 to 89.75 and from 16 to 112
    outside = crops.pixels_outside(32, 32)[0]
    inside = ~outside
    assert inside.any(0).nonzero().flatten().tolist() == list(range(8, 22))  # centers from 34 to 86
    assert inside.any(1).nonzero().flatten().tolist() == list(range(4, 28))
    assert inside.sum() == 14 * 24


def test_sample_points_of_a_crop_stand_for_its_area() -> None:
    crops = CropTargets.of(torch.stack([mask_of(40, 32, 80, 96), mask_of(0, 0, 128, 128)]))
    assert (crops.sample_area() * SIDE**2 * PIXELS**2).tolist() == [60 * 96, PIXELS**2]


def test_concatenated_and_taken_apart() -> None:
    one, other = CropTargets.of(mask_of(4, 4, 20, 20)[None]), CropTargets.of(mask_of(40, 32, 80, 96)[None])
    both = concatenated([one, other])
    again = both.map(lambda each: each[1:])
    assert torch.equal(again.windows, other.windows)
    assert torch.equal(again.inside, other.inside)


def test_a_pixel_is_the_object_s_if_it_covers_more_than_half_of_it() -> None:
    targets = torch.tensor([[[1.0, 0.6], [0.5, 0.4]], [[0.0, 0.0], [0.0, 0.0]]])
    assert binary_targets(targets).tolist() == [[[True, True], [False, False]], [[False, False], [False, False]]]
    torch.testing.assert_close(target_logits(targets), targets - torch.tensor([0.5, 0.0]).view(2, 1, 1))


def test_a_wire_has_the_pixels_that_it_goes_through() -> None:
    mask = torch.zeros(1, 64, 64)
    mask[:, 31] = 1  # one pixel wide: a quarter of its low-resolution pixels
    wire = binary_targets(F.avg_pool2d(mask, 4))
    assert wire[0].nonzero()[:, 0].unique().tolist() == [7]
    assert wire.sum() == 16


def test_of_a_speck_the_pixel_counts_that_has_most_of_it() -> None:
    mask = torch.zeros(1, 64, 64)
    mask[:, 22:25, 23:25] = 1  # on a corner of four low-resolution pixels, of which the upper right has 2 x 1 pixels
    assert binary_targets(F.avg_pool2d(mask, 4)).nonzero().tolist() == [[0, 5, 5], [0, 5, 6]]
