"""The steps of the mask generation pipeline: masklet's image processor and transformers', on square images.

On others transformers' grid of points covers a part of the image only, and of factors other than 1 it has none.
"""

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from tests.support.transformers_image_processor import image_processor
from torch import Tensor

from masklet import Sam2ImageProcessorFast

SIDE, TARGET = 90, 64


@pytest.fixture(scope="module")
def theirs() -> Any:
    return image_processor()


OURS = Sam2ImageProcessorFast(size=TARGET)


def smooth_logits(points: int, height: int, width: int, seed: int) -> Tensor:
    """Logits [points, 3, height, width] of blobs, some of them at the border, one of no pixel, one of all."""
    coarse = torch.randn(points, 3, 7, 7, generator=torch.Generator().manual_seed(seed)) * 4 - 1
    coarse[0, 0], coarse[0, 1] = -5, 5
    return F.interpolate(coarse, (height, width), mode="bilinear", align_corners=False)


@pytest.mark.parametrize("layers", [0, 1, 2])
@pytest.mark.parametrize("overlap", [512 / 1500, 0.1])
def test_crops_and_points(theirs: Any, layers: int, overlap: float) -> None:
    image = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    options = {"crop_n_layers": layers, "overlap_ratio": overlap, "points_per_crop": 5}
    ours, expected = (each.generate_crop_boxes(image, TARGET, **options) for each in (OURS, theirs))
    for found, reference in zip([ours[0], *ours[2], ours[3]], [expected[0], *expected[2], expected[3]], strict=True):
        assert found.dtype == reference.dtype
        assert torch.equal(found, reference)
    assert ours[1].dtype == expected[1].dtype
    whole = [place for place, box in enumerate(expected[0].tolist()) if box[2] - box[0] == box[3] - box[1]]
    assert 0 in whole
    torch.testing.assert_close(ours[1][:, :, whole], expected[1][:, :, whole])


@pytest.mark.parametrize("crop", [(0, 0, 60, 50), (0, 0, 40, 36), (25, 22, 60, 50), (0, 22, 40, 50)])
@pytest.mark.parametrize(
    "options",
    [
        {"pred_iou_thresh": 0.3, "stability_score_thresh": 0.6},
        {"pred_iou_thresh": 0.3, "stability_score_thresh": 0.5, "mask_threshold": 0.5, "stability_score_offset": 0.7},
        {"pred_iou_thresh": 0.0, "stability_score_thresh": 0.0},
        {"pred_iou_thresh": 2.0},
        {},
    ],
)
def test_filters(theirs: Any, crop: tuple[int, ...], options: dict[str, float]) -> None:
    logits = smooth_logits(12, crop[3] - crop[1], crop[2] - crop[0], seed=sum(crop))
    scores = torch.rand(12, 3, generator=torch.Generator().manual_seed(1))
    ours, expected = (
        each.filter_masks(logits.clone(), scores, [50, 60], torch.tensor(crop).float(), **options)
        for each in (OURS, theirs)
    )
    assert ours[0] == expected[0]
    assert torch.equal(ours[1], expected[1])
    assert torch.equal(ours[2], expected[2].to(ours[2].dtype))  # none are floats there
    assert ours[2].shape == expected[2].shape


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.7, 1.0])
def test_suppression(theirs: Any, threshold: float) -> None:
    scores = torch.rand(12, 3, generator=torch.Generator().manual_seed(2)).mul(8).round() / 8  # some alike
    masks, values, boxes = OURS.filter_masks(smooth_logits(12, 50, 60, 3), scores, (50, 60), (0, 0, 60, 50), 0.0, 0.0)
    ours = OURS.post_process_for_mask_generation(masks, values, boxes, threshold)
    expected = theirs.post_process_for_mask_generation(masks, values, boxes, threshold)
    assert len(ours[0]) == len(expected[0])
    for found, reference in zip(ours[0], expected[0], strict=True):
        assert found.dtype == reference.dtype
        assert torch.equal(found, reference)
    assert torch.equal(ours[1], expected[1])
    assert ours[2] == expected[2]
    assert torch.equal(ours[3], expected[3])
