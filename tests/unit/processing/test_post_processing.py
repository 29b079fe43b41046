"""Mask logits to masks of the images' sizes, in both signatures of the public API."""

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from masklet.errors import InvalidInputError, InvalidMaskError
from masklet.processing import Sam2ImageProcessorFast

LOGITS = torch.randn(2, 3, 3, 16, 16, generator=torch.Generator().manual_seed(0))
SIZES = [(40, 60), (33, 17)]


def post_process(*arguments: Any, **options: Any) -> list[torch.Tensor]:
    return Sam2ImageProcessorFast().post_process_masks(*arguments, **options)


def expected(index: int, threshold: float = 0.0) -> torch.Tensor:
    return F.interpolate(LOGITS[index], SIZES[index], mode="bilinear", align_corners=False) > threshold


@pytest.mark.parametrize("sizes", [SIZES, torch.tensor(SIZES), np.array(SIZES), [torch.tensor(size) for size in SIZES]])
@pytest.mark.parametrize("masks", [LOGITS, list(LOGITS), tuple(LOGITS), LOGITS.numpy(), list(LOGITS.numpy())])
def test_masks_are_enlarged_and_then_thresholded(masks: Any, sizes: Any) -> None:
    results = post_process(masks, sizes)
    assert [result.dtype for result in results] == [torch.bool] * 2
    for index, result in enumerate(results):
        assert torch.equal(result, expected(index))


def test_ones_stay_ones() -> None:
    for masks in ([torch.ones(1, 3, 5, 5)], [np.ones((1, 3, 5, 5))], [np.ones((1, 3, 5, 5), dtype=np.int64)]):
        (result,) = post_process(masks, [[176, 264]])
        assert result.shape == (1, 3, 176, 264)
        assert result.all()


def test_the_list_given_is_not_changed() -> None:
    masks = [logits.numpy() for logits in LOGITS]
    before = [mask.copy() for mask in masks]
    post_process(masks, SIZES, max_hole_area=5, apply_non_overlapping_constraints=True)
    assert all(isinstance(mask, np.ndarray) for mask in masks)
    np.testing.assert_array_equal(masks, before)


def test_logits_without_binarizing() -> None:
    (result, _) = post_process(LOGITS, SIZES, binarize=False)
    assert torch.equal(result, F.interpolate(LOGITS[0], SIZES[0], mode="bilinear", align_corners=False))


def test_the_third_position_may_be_sizes_or_the_threshold() -> None:
    reshaped = torch.tensor([[1024, 1024]] * 2)
    at_half = [expected(index, 0.5) for index in range(2)]
    calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
        ((0.5,), {}),
        ((np.float32(0.5), True), {}),
        ((reshaped, 0.5), {}),
        ((reshaped.tolist(), 0.5, True, 0.0, 0.0), {}),
        ((None, 0.5), {}),
        ((), {"mask_threshold": 0.5}),
        ((), {"mask_threshold": 0.5, "reshaped_input_sizes": reshaped}),
        ((reshaped,), {"mask_threshold": 0.5, "binarize": True}),
        ((0.5, True, 0, 0, False), {}),
    ]
    for positional, keywords in calls:
        for result, wanted in zip(post_process(LOGITS, SIZES, *positional, **keywords), at_half, strict=True):
            assert torch.equal(result, wanted)
    assert torch.equal(post_process(LOGITS, SIZES, reshaped)[0], expected(0))
    assert post_process(LOGITS, SIZES, reshaped, 0.0, False)[0].is_floating_point()


def test_options_that_do_not_exist_are_refused() -> None:
    with pytest.raises(TypeError, match="max_hole_aera"):
        post_process(LOGITS, SIZES, max_hole_aera=3)
    with pytest.raises(TypeError, match="both by position and by name"):
        post_process(LOGITS, SIZES, 0.5, mask_threshold=0.5)
    with pytest.raises(TypeError, match="at most 5"):
        post_process(LOGITS, SIZES, 0.5, True, 0, 0, False, 1)


def ring_and_speck() -> torch.Tensor:
    """One object, two candidate masks [1, 2, 16, 16]: a block with a hole of 4 pixels and a speck of 1; and nothing."""
    logits = torch.full((1, 2, 16, 16), -4.0)
    logits[0, 0, 2:10, 2:10] = 4.0
    logits[0, 0, 5:7, 5:7] = -4.0
    logits[0, 0, 14, 14] = 4.0
    return logits


@pytest.mark.parametrize("binarize", [True, False])
def test_holes_and_specks_go_before_enlarging(binarize: bool) -> None:
    def inside(**options: Any) -> torch.Tensor:
        return post_process([ring_and_speck()], [(32, 32)], binarize=binarize, **options)[0] > 0

    untouched, filled, cleaned = inside(), inside(max_hole_area=4), inside(max_sprinkle_area=1)
    assert not untouched[0, 0, 11:13, 11:13].any()
    assert filled[0, 0, 5:19, 5:19].all()
    assert untouched[0, 0, 29, 29]
    assert filled[0, 0, 29, 29]
    assert not cleaned[0, 0, 24:, 24:].any()
    assert not cleaned[0, 0, 11:13, 11:13].any()
    assert torch.equal(inside(max_hole_area=3), untouched), "areas are low-resolution pixels"
    assert not filled[0, 1].any(), "each mask is treated alone"


def test_objects_do_not_overlap_on_demand() -> None:
    logits = torch.tensor([3.0, 1.0, -1.0]).view(3, 1, 1, 1).expand(3, 1, 4, 4)
    (overlapping,) = post_process([logits], [(8, 8)])
    assert overlapping.flatten(1).all(1).tolist() == [True, True, False]
    (apart,) = post_process([logits], [(8, 8)], apply_non_overlapping_constraints=True)
    assert apart.flatten(1).any(1).tolist() == [True, False, False]
    (resized,) = post_process([logits], [(8, 8)], binarize=False, apply_non_overlapping_constraints=True)
    assert resized.amax((1, 2, 3)).tolist() == [3.0, -10.0, -10.0]


@pytest.mark.parametrize(
    "masks",
    [
        [[1, 0], [0, 1]],
        "masks",
        None,
        3,
        torch.zeros(1, 1, 5, 5),
        np.zeros((5, 5)),
        [torch.zeros(5, 5)],
        [torch.zeros(1, 0, 5, 5)],
        [torch.zeros(1, 1, 0, 5)],
        [torch.zeros(1, 1, 5, 0)],
        [[np.ones((1, 1, 5, 5))]],
    ],
)
@pytest.mark.parametrize("kind", [ValueError, TypeError])
def test_other_masks_are_refused_with_either_built_in_error(masks: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind, match=r"[Mm]asks") as caught:
        post_process(masks, [[5, 5]])
    assert isinstance(caught.value, InvalidMaskError)


@pytest.mark.parametrize("name", ["mask_threshold", "max_hole_area", "max_sprinkle_area"])
@pytest.mark.parametrize("value", ["1", None, [1], float("nan"), 10**400, np.zeros(2), True])
def test_limits_that_are_no_numbers_are_refused(name: str, value: Any) -> None:
    with pytest.raises(InvalidMaskError, match=f"^{name} must be a finite number, got "):
        post_process(torch.zeros(1, 1, 1, 5, 5), [[5, 5]], **{name: value})


def test_sizes_must_fit() -> None:
    with pytest.raises(InvalidMaskError, match="2 images but 1 original_sizes"):
        post_process(LOGITS, SIZES[:1])
    for sizes in (SIZES[0], 40, [[40]], [[0, 5]], "ab"):
        with pytest.raises(ValueError, match="original_sizes"):
            post_process(LOGITS, sizes)


@pytest.mark.parametrize(
    "sizes", [torch.ones(1, 2).to_sparse(), torch.empty(1, 2, device="meta")], ids=["sparse", "meta"]
)
def test_sizes_without_numbers_in_memory_are_refused(sizes: torch.Tensor) -> None:
    with pytest.raises(InvalidInputError, match="original_sizes must be an array of numbers"):
        post_process([torch.zeros(1, 1, 5, 5)], sizes)
