"""Crop refinement: equal to the same steps by hand, and worth its time on small objects."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from masklet import ImageSegmenter, Prompt, ZoomingSegmenter
from masklet.errors import InvalidInputError
from masklet.masks.components import enclosed_holes
from masklet.masks.geometry import bounding_box
from masklet.masks.overlap import intersection_over_union
from masklet.predictors.zooming_segmenter import ZoomableImage

HEIGHT, WIDTH = 120, 200
PICTURE = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
BOX = [20.0, 30.0, 60.0, 50.0]
VIEW = (12, 12, 68, 68)  # 1.4 times 40 pixels about (40, 40)
LARGE_BOX = [5.0, 5.0, 150.0, 115.0]


@pytest.fixture(scope="module")
def zooming(saved_model: Path) -> ZoomingSegmenter:
    return ZoomingSegmenter.from_pretrained(saved_model)


@pytest.fixture(scope="module")
def image(zooming: ZoomingSegmenter) -> ZoomableImage:
    return zooming.encode(PICTURE)


@pytest.fixture(scope="module")
def plain(zooming: ZoomingSegmenter) -> ImageSegmenter:
    return ImageSegmenter(zooming.model, zooming.processor)


def enlarged(logits: Any, height: int, width: int) -> Tensor:
    return F.interpolate(torch.as_tensor(logits)[None, None], (height, width), mode="bilinear")[0, 0]


def mean_of_two_passes(
    plain: ImageSegmenter, first: dict[str, Any], second: dict[str, Any], view: tuple[int, int, int, int]
) -> Tensor:
    """The logits [H, W] by nothing but `ImageSegmenter`; `second` are the prompts in the view's pixels."""
    left, top, right, bottom = view
    whole = plain.segment(plain.encode(PICTURE), **first).low_resolution_logits
    assert whole is not None
    logits = enlarged(whole[0], HEIGHT, WIDTH)
    if "masks" in second:
        part = logits[None, None, top:bottom, left:right]
        second = second | {"masks": F.interpolate(part, whole[0].shape, mode="bilinear", antialias=True)[0].numpy()}
    near = plain.segment(plain.encode(PICTURE[top:bottom, left:right]), multimask=False, **second)
    assert near.low_resolution_logits is not None
    logits[top:bottom, left:right] += enlarged(near.low_resolution_logits[0], bottom - top, right - left)
    logits[top:bottom, left:right] /= 2
    return logits


def test_a_box_is_refined_alone(zooming: ZoomingSegmenter, plain: ImageSegmenter, image: ZoomableImage) -> None:
    expected = mean_of_two_passes(plain, {"boxes": [BOX]}, {"boxes": [[8, 18, 48, 38]]}, VIEW)
    result = zooming.segment(image, boxes=[BOX], object_ids=[4])
    assert result.object_ids == (4,)
    assert (result.masks[0] != (expected > 0).numpy()).mean() < 1e-3
    shrunk = F.interpolate(expected[None, None], (24, 24), mode="bilinear", antialias=True)[0, 0]
    assert result.low_resolution_logits is not None
    np.testing.assert_allclose(result.low_resolution_logits[0], shrunk, atol=1e-3)


def test_clicks_are_refined_with_what_the_first_pass_found(
    zooming: ZoomingSegmenter, plain: ImageSegmenter, image: ZoomableImage
) -> None:
    """Around the box and the click on the object; a click far off it is not in the crop."""
    said = {"points": [[[80, 40], [190, 100]]], "labels": [[1, 0]], "boxes": [BOX]}
    view = (8, 0, 92, 84)  # 1.4 times 60 pixels about (50, 40), moved into the image
    seen = {"points": [[[72, 40]]], "labels": [[1]], "boxes": [[12, 30, 52, 50]], "masks": "of the first pass"}
    expected = mean_of_two_passes(plain, said, seen, view)
    result = zooming.segment(image, **said)
    assert (result.masks[0] != (expected > 0).numpy()).mean() < 1e-3


def test_what_was_found_by_a_click_is_refined(
    zooming: ZoomingSegmenter, image: ZoomableImage, monkeypatch: Any
) -> None:
    """Without a box the view is around the mask and the clicks on the object; what is no click is left out."""
    asked: list[tuple[tuple[int, int], Prompt, bool | None]] = []
    found = torch.full((1, 24, 24), -1.0)
    found[0, 10:14, 4:8] = 1.0  # a cell is 5 pixels high and 8.3 wide

    def best(_: Any, encoded: Any, prompts: list[Prompt], multimask: bool | None) -> tuple[Tensor, Tensor]:
        asked.append(((encoded.height, encoded.width), prompts[0], multimask))
        return (found if len(asked) == 1 else torch.full((1, 24, 24), 3.0)), torch.tensor([0.5])

    monkeypatch.setattr(ImageSegmenter, "_best_of_batch", best)
    clicks = [[50, 60], [40, 55], [190, 10], [1, 1], [2, 2]]
    result = zooming.segment(image, points=[clicks], labels=[[1, 0, 0, -1, -10]])
    size, second, multimask = asked[1]
    box = result_box(enlarged(found[0], HEIGHT, WIDTH) > 0)
    side = 1.4 * max(box[2] - box[0], box[3] - box[1])
    left, top = round((box[0] + box[2] - side) / 2), round((box[1] + box[3] - side) / 2)
    assert size == (pytest.approx(side, abs=1), pytest.approx(side, abs=1))
    assert multimask is False
    np.testing.assert_allclose(second.points, np.array([[50, 60], [40, 55]]) - [left, top])
    assert second.labels.tolist() == [1, 0]
    assert second.box is None
    assert second.mask is not None
    assert second.mask.shape == (24, 24)
    assert 0.2 < (second.mask > 0).mean() < 0.6  # what was found, enlarged
    assert result.masks[0, top + 2 : top + int(side) - 2, left + 2 : left + int(side) - 2].all()  # (-1 + 3) / 2 > 0
    assert not result.masks[0, :, left + round(side) + 2 :].any()


def result_box(mask: Tensor) -> tuple[float, float, float, float]:
    box = bounding_box(mask.numpy())
    assert box is not None
    return box


def test_ignored_points_leave_a_box_alone_and_boxes_end_at_the_border(
    zooming: ZoomingSegmenter, image: ZoomableImage, monkeypatch: Any
) -> None:
    asked: list[tuple[int, tuple[int, bool, bool]]] = []

    def best(_: Any, encoded: Any, prompts: list[Prompt], __: Any) -> tuple[Tensor, Tensor]:
        asked.append((encoded.width, (len(prompts[0].points), prompts[0].box is not None, prompts[0].mask is not None)))
        return torch.ones(1, 24, 24), torch.tensor([0.5])

    monkeypatch.setattr(ImageSegmenter, "_best_of_batch", best)
    zooming.segment(image, boxes=[BOX], points=[[[30, 40]]], labels=[[-10]])
    zooming.segment(image, boxes=[[-300, 30, 60, 50]])
    zooming.segment(image, boxes=[BOX], multimask=True)
    assert asked[1] == (56, (0, True, False))
    assert asked[3] == (84, (0, True, False))  # as of (0, 30, 60, 50)
    assert asked[5] == (56, (0, True, True))


def test_the_image_may_change_after_it_was_encoded(zooming: ZoomingSegmenter) -> None:
    buffer = PICTURE.copy()
    image = zooming.encode(buffer)
    before = zooming.segment(image, boxes=[BOX])
    buffer[:] = 0
    np.testing.assert_array_equal(
        zooming.segment(image, boxes=[BOX]).low_resolution_logits, before.low_resolution_logits
    )


def test_prompts_of_no_object_give_no_mask(zooming: ZoomingSegmenter, image: ZoomableImage) -> None:
    result = zooming.segment(image, boxes=[])
    assert result.masks.shape == (0, HEIGHT, WIDTH)
    assert zooming.candidates(image, boxes=np.empty((0, 4))) == []


def test_clicks_where_padding_is_and_transposed_masks_are_refused(
    zooming: ZoomingSegmenter, image: ZoomableImage
) -> None:
    with pytest.raises(InvalidInputError, match="outside its image"):
        zooming.segment(image, points=[[(-10, -10)]])
    with pytest.raises(InvalidInputError, match=f"but its image {WIDTH} x {HEIGHT}"):
        zooming.segment(image, masks=np.ones((1, WIDTH, HEIGHT), bool))


def test_scores_are_those_of_both_passes(
    zooming: ZoomingSegmenter, plain: ImageSegmenter, image: ZoomableImage
) -> None:
    left, top, right, bottom = VIEW
    near = plain.segment(plain.encode(PICTURE[top:bottom, left:right]), boxes=[[8, 18, 48, 38]]).scores
    mean = (plain.segment(image, boxes=[BOX]).scores + near) / 2
    np.testing.assert_allclose(zooming.segment(image, boxes=[BOX]).scores, mean, rtol=1e-4)


@pytest.mark.parametrize(
    "prompts",
    [{"boxes": [LARGE_BOX]}, {"boxes": np.array(LARGE_BOX)}, {"masks": np.full((1, 24, 24), -20, np.float32)}],
    ids=["a large box", "as an array", "nothing found"],
)
def test_what_a_crop_would_not_show_any_better_stays(
    zooming: ZoomingSegmenter, plain: ImageSegmenter, image: ZoomableImage, prompts: dict[str, Any], monkeypatch: Any
) -> None:
    if "masks" in prompts:  # a network that finds nothing
        nothing = torch.full((1, 24, 24), -1.0), torch.zeros(1)
        monkeypatch.setattr(ImageSegmenter, "_best_of_batch", lambda *_, **__: nothing)
    twice, once = zooming.segment(image, **prompts), plain.segment(image, **prompts)
    for name in ("masks", "scores", "low_resolution_logits"):
        np.testing.assert_array_equal(getattr(twice, name), getattr(once, name))


def test_objects_do_not_change_each_other(zooming: ZoomingSegmenter, image: ZoomableImage) -> None:
    together = zooming.segment(image, boxes=[LARGE_BOX, BOX])
    for number, box in enumerate([LARGE_BOX, BOX]):
        alone = zooming.segment(image, boxes=[box])
        assert (together.masks[number] != alone.masks[0]).mean() < 1e-3


@pytest.mark.parametrize(
    "prompts",
    [
        {"points": [[0, 0], [WIDTH, HEIGHT]]},
        {"points": [[[3, 3]], np.zeros((0, 2))], "labels": [[0], []]},
        {"boxes": [[-50, -50, 1, 1], [WIDTH - 1, HEIGHT - 1, WIDTH + 30, HEIGHT + 30]]},
        {"points": [[[10, 10]]], "labels": [[1]], "boxes": torch.tensor([BOX])},
    ],
    ids=["corners", "no click on it", "boxes that reach over the border", "tensors"],
)
def test_prompts_at_the_border_and_of_other_kinds(
    zooming: ZoomingSegmenter, image: ZoomableImage, prompts: dict[str, Any]
) -> None:
    masks = zooming.segment(image, **prompts).masks
    assert masks.shape == (len(prompts.get("points", prompts.get("boxes"))), HEIGHT, WIDTH)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1)])
def test_tiny_and_thin_images(zooming: ZoomingSegmenter, size: tuple[int, int]) -> None:
    picture = np.zeros((*size, 3), np.uint8)
    assert zooming.segment(zooming.encode(picture), boxes=[[0, 0, 1, 1]]).masks.shape == (1, *size)


def test_an_image_without_its_pixels_is_refused(zooming: ZoomingSegmenter, plain: ImageSegmenter) -> None:
    with pytest.raises(InvalidInputError, match=r"this class's encode\(\.\.\.\), got EncodedImage"):
        zooming.segment(plain.encode(PICTURE), boxes=[BOX])


def test_a_small_thing_is_outlined_better_with_the_bundled_model() -> None:
    """A leaf of 26 x 14 pixels in an image of 1000, where a cell of the answer is 10 pixels wide."""
    truth = np.zeros((1000, 1000), np.uint8)
    cv2.ellipse(truth, (700, 300), (13, 7), 30, 0, 360, 1, -1)
    picture = np.where(truth[..., None] > 0, np.uint8([60, 140, 50]), np.uint8([200, 190, 170]))
    rows, columns = np.nonzero(truth)
    box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    overlaps = []
    for kind in (ImageSegmenter, ZoomingSegmenter):
        segmenter = kind.from_pretrained()
        mask = segmenter.segment(segmenter.encode(picture), boxes=[box]).masks[0]
        overlaps.append(intersection_over_union(truth > 0, mask))
    assert overlaps[1] > 0.8
    assert overlaps[1] > overlaps[0] + 0.05


@pytest.mark.parametrize("box", [BOX, LARGE_BOX])
def test_holes_are_filled_after_the_last_pass(
    zooming: ZoomingSegmenter, image: ZoomableImage, monkeypatch: Any, box: list[float]
) -> None:
    prompts: dict[str, Any] = {"boxes": [box], "points": [[[40, 40], [30, 35]]], "labels": [[1, 0]]}
    plain = zooming.segment(image, **prompts)
    monkeypatch.setattr(zooming.model.config, "max_hole_share", 1.0)
    filled = zooming.segment(image, **prompts)
    holes = enclosed_holes(plain.masks[0], 1.0, [[30, 35]])
    assert holes.any()
    assert np.array_equal(filled.masks[0], plain.masks[0] | holes)
    np.testing.assert_array_equal(filled.low_resolution_logits, plain.low_resolution_logits)
