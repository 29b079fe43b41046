"""The steps of mask generation as methods of the image processor."""

import re
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from masklet import InvalidInputError, Sam2ImageProcessorFast
from masklet.errors import InvalidMaskError
from masklet.masks.run_length import decode_run_length

PROCESSOR = Sam2ImageProcessorFast(size=32)


def image(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_the_grid_covers_images_that_are_not_square() -> None:
    boxes, points, crops, labels = PROCESSOR.generate_crop_boxes(image(20, 60), 32, points_per_crop=2)
    assert boxes.tolist() == [[0, 0, 60, 20]]
    assert points.tolist() == [[[[8, 8]], [[24, 8]], [[8, 24]], [[24, 24]]]]
    assert [each.shape for each in crops] == [(3, 20, 60)]
    assert labels.tolist() == [[[1]] * 4]


def test_crops_with_fewer_points_repeat_them() -> None:
    boxes, points, crops, labels = PROCESSOR.generate_crop_boxes(
        image(40, 40), 32, 1, points_per_crop=4, crop_n_points_downscale_factor=2
    )
    assert (len(boxes), points.shape, len(crops), labels.shape) == (5, (1, 16, 5, 2), 5, (1, 16, 5))
    assert len(points[0, :, 0].unique(dim=0)) == 16
    of_crop = points[0, :, 1]
    assert of_crop[:4].tolist() == [[8, 8], [24, 8], [8, 24], [24, 24]]
    assert torch.equal(of_crop, of_crop[:4].repeat(4, 1))


def test_crops_hold_the_pixels_of_their_boxes() -> None:
    given = image(30, 50)
    boxes, _, crops, _ = PROCESSOR.generate_crop_boxes(given, 32, 1)
    for (x1, y1, x2, y2), crop in zip(boxes.int().tolist(), crops, strict=True):
        np.testing.assert_array_equal(crop.permute(1, 2, 0).numpy(), given[y1:y2, x1:x2])


@pytest.mark.parametrize("white", [1, 255])
def test_crops_of_floats_have_the_brightness_of_the_image(white: int) -> None:
    """A dark crop on its own would be taken for one of 0 to 1."""
    given = np.zeros((40, 40, 3), np.float32)
    given[:, :16], given[:, 30:] = white / 300, white
    _, _, crops, _ = PROCESSOR.generate_crop_boxes(given, 32, 1, overlap_ratio=0.0)
    prepared = PROCESSOR(crops, return_tensors="pt").pixel_values
    bytes_of = PROCESSOR(np.full((4, 4, 3), 0, np.uint8), return_tensors="pt").pixel_values[0, :, 0, 0]
    dark = prepared[1, :, 16, 4] * torch.tensor(PROCESSOR.image_std) + torch.tensor(PROCESSOR.image_mean)
    assert torch.allclose(dark, torch.full((3,), 1 / 300), atol=1e-5)
    assert torch.allclose(prepared[1, :, 16, 31], bytes_of, atol=1e-5)


def logits(*masks: str) -> Tensor:
    """Logits [masks, 1, h, w] of a point each: `#` is 2, `+` .5, `-` -.5 and `.` -2."""
    values = {"#": 2.0, "+": 0.5, "-": -0.5, ".": -2.0}
    return torch.tensor([[[values[sign] for sign in row] for row in mask.split()] for mask in masks])[:, None]


WHOLE = (0, 0, 4, 2)


def filtered(given: Tensor, scores: list[float], size: Any = (2, 4), crop: Any = WHOLE, **options: float) -> Any:
    return PROCESSOR.filter_masks(given, torch.tensor(scores)[:, None], size, crop, **options)


def test_masks_above_both_thresholds_stay() -> None:
    given = logits("#### ####", "##.. ##..", "##+- ....", ".... ....")
    masks, scores, boxes = filtered(given, [0.5, 0.9, 0.9, 0.9], pred_iou_thresh=0.5, stability_score_thresh=0.5)
    assert masks == [{"size": [2, 4], "counts": [0, 4, 4]}]  # the third has 2 of 4 pixels for sure, the last none
    assert scores.tolist() == pytest.approx([0.9])
    assert boxes.tolist() == [[0, 0, 1, 1]]
    assert boxes.dtype == torch.int64
    masks, scores, boxes = filtered(given, [0.5, 0.9, 0.9, 0.9], pred_iou_thresh=0.5, stability_score_thresh=0.49)
    assert [each["counts"] for each in masks] == [[0, 4, 4], [0, 1, 1, 1, 1, 1, 3]]
    assert boxes.tolist() == [[0, 0, 1, 1], [0, 0, 2, 0]]


def test_thresholds_of_0_let_empty_masks_through() -> None:
    masks, _, boxes = filtered(logits(".... ...."), [0.0], pred_iou_thresh=0, stability_score_thresh=0)
    assert masks == [{"size": [2, 4], "counts": [8]}]
    assert boxes.tolist() == [[0, 0, 0, 0]]


def test_masks_of_a_crop_lie_in_the_image_unless_it_cuts_them_off() -> None:
    """A crop of 50 x 50 pixels in the middle of 100 x 100: 21 pixels from its edges are enough, 20 are not."""
    given = torch.full((2, 1, 50, 50), -9.0)
    given[0, 0, 21:29, 21:29] = given[1, 0, 21:29, 20:29] = 9
    masks, scores, boxes = filtered(given, [0.9, 0.95], (100, 100), torch.tensor([25.0, 25, 75, 75]))
    assert scores.tolist() == pytest.approx([0.9])
    assert boxes.tolist() == [[46, 46, 53, 53]]
    whole = decode_run_length(masks[0])
    assert whole.shape == (100, 100)
    assert np.argwhere(whole).min(0).tolist() == [46, 46]
    assert whole.sum() == 64


def test_better_masks_suppress_those_with_the_same_box() -> None:
    masks, scores, boxes = filtered(logits("###. ###.", "###. #.#.", "...# ...#"), [0.8, 0.9, 0.7], pred_iou_thresh=0)
    found, values, run_lengths, left = PROCESSOR.post_process_for_mask_generation(masks, scores, boxes, 0.7)
    assert values.tolist() == pytest.approx([0.9, 0.7])
    assert [each.int().tolist() for each in found] == [[[1, 1, 1, 0], [1, 0, 1, 0]], [[0, 0, 0, 1], [0, 0, 0, 1]]]
    assert run_lengths == [masks[1], masks[2]]
    assert torch.equal(left, boxes[1:])
    nothing = PROCESSOR.post_process_for_mask_generation([], scores[:0], boxes[:0], 0.7)
    assert [len(each) for each in nothing] == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"target_size": 0}, "target_size must be a whole number from 1; got 0"),
        ({"crop_n_layers": -1}, "crop_n_layers must be a whole number from 0 up to 6; got -1"),
        ({"crop_n_layers": 7}, "got 7"),
        ({"overlap_ratio": 1.5}, "overlap_ratio must be a number from 0 to 1; got 1.5"),
        ({"points_per_crop": 0}, "points_per_crop must be a whole number from 1 up to 1024; got 0"),
        ({"crop_n_points_downscale_factor": 0.5}, "must be a number of at least 1; got 0.5"),
        ({"crop_n_points_downscale_factor": [2]}, r"got [2]"),
        (
            {"points_per_crop": 8, "crop_n_points_downscale_factor": 4, "crop_n_layers": 2},
            "Crops of layer 2 would have no point: 8 points_per_crop divided by 4",
        ),
        ({"image": [image(9, 9)] * 2}, "Crops are made of one image; got 2"),
        ({"image": 3}, "must be a PIL image"),
    ],
)
def test_options_of_crops_that_are_refused(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidInputError, match=re.escape(reason)):
        PROCESSOR.generate_crop_boxes(**{"image": image(40, 40), "target_size": 32, **options})


@pytest.mark.parametrize("crop", [(0, 0, 5, 2), (2, 0, 2, 2), (0, 0, 4), (0, float("nan"), 4, 2), (-1, 0, 4, 2)])
def test_crops_that_are_no_part_of_the_image_are_refused(crop: tuple[float, ...]) -> None:
    with pytest.raises(InvalidInputError, match="within 4 x 2 pixels"):
        filtered(logits("#### ####"), [0.9], crop=crop)


def test_masks_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InvalidMaskError, match=r"got \[1, 1, 2, 4\] and \[2, 1\]"):
        filtered(logits("#### ####"), [0.9, 0.9])
    with pytest.raises(InvalidMaskError, match=r"\[points, masks, 2, 3\] of the crop's size"):
        filtered(logits("#### ####"), [0.9], crop=(0, 0, 3, 2))
    with pytest.raises(InvalidMaskError, match=r"must be finite numbers; got \[0.88, 0.95, 0, inf\]"):
        filtered(logits("#### ####"), [0.9], stability_score_offset=float("inf"))
    with pytest.raises(InvalidInputError, match="original_size must be"):
        filtered(logits("#### ####"), [0.9], size=(2,))
    with pytest.raises(InvalidInputError, match=r"1 masks need as many scores and boxes; got \[2\], \[1, 4\]"):
        PROCESSOR.post_process_for_mask_generation([{}], torch.ones(2), torch.ones(1, 4), 0.5)
