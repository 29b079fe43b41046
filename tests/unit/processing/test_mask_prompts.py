"""Masks as prompts: every container, the rule of one half, and what cannot be meant."""

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from masklet.errors import InvalidInputError
from masklet.processing.mask_prompts import mask_prompts, mask_tensor

SIZE, SIDE = (20, 30), 32


def a_mask(seed: int = 0) -> np.ndarray:
    mask = np.zeros(SIZE, dtype=bool)
    mask[4 : 11 + seed, 6:25] = True
    return mask


def prompts(masks: Any, objects: int = 1, size: tuple[int, int] | None = SIZE) -> list[torch.Tensor]:
    return mask_prompts(masks, objects, size, SIDE)


def logits(masks: Any, images: int = 1) -> torch.Tensor:
    return mask_tensor(masks, [SIZE] * images, SIDE)


def test_masks_are_resized_smoothly_and_half_is_inside() -> None:
    (prompt,) = prompts(a_mask())
    values = torch.from_numpy(a_mask()).float()[None, None]
    expected = F.interpolate(values, (SIDE, SIDE), mode="bilinear", antialias=True)[0, 0] >= 0.5
    assert prompt.dtype == torch.bool
    assert torch.equal(prompt, expected)
    assert 0 < prompt.sum() < prompt.numel()


@pytest.mark.parametrize(
    "mask",
    [
        [a_mask()],
        a_mask()[None],
        a_mask()[None, None],
        torch.from_numpy(a_mask()),
        a_mask().astype(np.uint8) * 255,
        a_mask().astype(np.float32),
        [Image.fromarray(a_mask())],
        [a_mask().tolist()],
        [a_mask()[None]],
    ],
    ids=["list", "3-D", "4-D", "tensor", "bytes", "floats", "picture", "lists", "3-D in a list"],
)
def test_containers_agree(mask: Any) -> None:
    assert torch.equal(prompts(mask)[0], prompts(a_mask())[0])


@pytest.mark.parametrize("shape", [(2, 20, 30), (2, 1, 20, 30), (1, 2, 20, 30)])
def test_one_array_for_several_objects(shape: tuple[int, ...]) -> None:
    both = np.stack([a_mask(), a_mask(5)])
    found = prompts(both.reshape(shape), objects=2)
    assert torch.equal(found[0], prompts(a_mask())[0])
    assert torch.equal(found[1], prompts(a_mask(5))[0])
    assert not torch.equal(found[0], found[1])


def test_logits_are_resized_as_they_are() -> None:
    logits = torch.linspace(-3, 4, 600).reshape(SIZE)
    resized = F.interpolate(logits[None, None], (SIDE, SIDE), mode="bilinear", antialias=True)[0, 0]
    assert torch.equal(prompts(logits)[0], resized >= 0.5)
    assert torch.equal(prompts(logits.numpy())[0], resized >= 0.5)


def test_without_the_size_of_the_frames_only_the_networks_own_will_do() -> None:
    with pytest.raises(InvalidInputError, match="30 x 20 pixels, and how large the stream's frames are is not known"):
        prompts(a_mask(), size=None)
    assert prompts(np.ones((SIDE, SIDE)), size=None)[0].all()


def test_masks_of_the_networks_size_become_bool_too() -> None:
    probabilities = torch.rand(SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    assert torch.equal(prompts(probabilities)[0], probabilities >= 0.5)


def test_an_empty_mask_is_allowed() -> None:
    assert not prompts(np.zeros(SIZE, bool))[0].any()


@pytest.mark.parametrize("shape", [(20, 30), (40, 60), (10, 15), (7, 10), (7, 11), (32, 32), (8, 8)])
def test_sizes_that_can_be_meant(shape: tuple[int, int]) -> None:
    assert prompts(np.ones(shape, bool))[0].all()


@pytest.mark.parametrize("shape", [(30, 20), (20, 20), (16, 16), (600, 1000), (1, 30)])
def test_other_proportions_are_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(InvalidInputError, match=rf"A mask has {shape[1]} x {shape[0]} pixels, but the video 30 x 20"):
        prompts(np.ones(shape, bool))


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ((1, 1), (20, 30)),
        ((1, 1), (300, 300)),
        ((3, 4), (4, 3)),
        ((6, 8), (400, 300)),
        ((300, 301), (301, 300)),
        ((5, 5), (20, 30)),
    ],
)
def test_transposed_masks_and_masks_too_small_to_have_proportions_are_refused(
    shape: tuple[int, int], size: tuple[int, int]
) -> None:
    with pytest.raises(InvalidInputError, match="must have its size or its proportions"):
        prompts(np.ones(shape, bool), size=size)


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ((1, 1), (1, 1)),
        ((3, 4), (3, 4)),
        ((301, 300), (301, 300)),
        ((150, 150), (301, 300)),
        ((270, 481), (1079, 1920)),
    ],
)
def test_the_size_itself_and_rounded_proportions_are_accepted(shape: tuple[int, int], size: tuple[int, int]) -> None:
    assert prompts(np.ones(shape, bool), size=size)[0].all()


@pytest.mark.parametrize(
    ("masks", "message"),
    [
        (np.ones(3, bool), r"\[objects, height, width\]; got 1 dimensions"),
        ([np.ones((1, 1, 1, 20, 30))], "got 5 dimensions"),
        (np.ones((2, 20, 30)), "1 object ids but 2 masks"),
        ([a_mask(), a_mask()], "1 object ids but 2 masks"),
        (np.ones((2, 3, 20, 30)), r"There must be one mask an object; got masks of the shape \[2, 3, 20, 30\]"),
        ([np.ones((2, 20, 30))], r"The mask of an object must be \[height, width\], got the shape \[2, 20, 30\]"),
        ([np.ones((0, 30))], r"The mask of an object must be \[height, width\], got the shape \[0, 30\]"),
        (np.full(SIZE, np.nan), "NaN or infinite"),
        ("mask.png", "A mask must be an array of numbers"),
    ],
)
def test_what_is_no_mask(masks: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        prompts(masks)


@pytest.mark.parametrize(
    ("masks", "shape"),
    [
        (np.zeros((2, 4, 6)), (2, 1, 4, 6)),
        (torch.zeros(2, 3, 4, 6), (2, 3, 4, 6)),
        ([np.zeros((4, 6)), torch.zeros(4, 6)], (2, 1, 4, 6)),
        ([torch.zeros(3, 4, 6), np.zeros((3, 4, 6))], (2, 3, 4, 6)),
        ([[[0.0, 1.0]], ((1.0, 0.0),)], (2, 1, 1, 2)),
    ],
)
def test_masks_become_one_tensor(masks: Any, shape: tuple[int, ...]) -> None:
    tensor = mask_tensor(masks, [(shape[-2], shape[-1])] * 2, SIDE)
    assert tensor.shape == shape
    assert tensor.dtype == torch.float32


def test_logits_stay_and_inside_and_outside_become_logits() -> None:
    size = [(1, 2)]
    assert mask_tensor([torch.tensor([[-3.5, 20.0]])], size, SIDE).tolist() == [[[[-3.5, 20.0]]]]
    for mask in ([[True, False]], np.uint8([[255, 0]]), torch.tensor([[1, 0]]), np.array([[False, True]])[:, ::-1]):
        assert mask_tensor([mask], size, SIDE).tolist() == [[[[10.0, -10.0]]]]


@pytest.mark.parametrize(
    ("masks", "message"),
    [
        (np.zeros((3, 4, 4)), "input_masks for 3 images but 2 images"),
        ([np.zeros((4, 5)), np.zeros((5, 4))], r"\(1, 4, 5\), \(1, 5, 4\)"),
        ([np.zeros(4), np.zeros(4)], "must be"),
        (np.zeros((2, 1, 1, 4, 5)), "must be"),
        (np.full((2, 4, 6), np.nan), "NaN"),
        (np.full((2, 4, 6), np.inf), "NaN or infinite"),
        (np.full((2, 4, 6), 1e20), r"logits from -60000 to 60000; got 1e\+20"),
        ([np.zeros((4, 5)), None], "numbers, got dtype object"),
        ([[[1, 0], [1]], [[1, 0], [1]]], "lists of different lengths"),
        (np.zeros((2, 0, 5)), "must be"),
        ("mask.png", "got str"),
    ],
)
def test_other_masks_of_images_are_refused(masks: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        logits(masks, 2)


SHAPES = [(20, 30), (40, 60), (7, 10), (32, 32), (8, 8)]


@pytest.mark.parametrize("shape", SHAPES)
def test_masks_of_images_have_their_size_their_proportions_or_the_networks(shape: tuple[int, int]) -> None:
    assert logits([np.ones(shape, bool)]).shape == (1, 1, *shape)
    assert logits([np.ones(shape, np.float32)]).shape == (1, 1, *shape)


@pytest.mark.parametrize("kind", [bool, np.uint8, np.float32])
@pytest.mark.parametrize("shape", [(30, 20), (60, 40), (600, 1000), (1, 30)])
def test_transposed_and_foreign_masks_of_images_are_refused(shape: tuple[int, int], kind: type) -> None:
    with pytest.raises(InvalidInputError, match=rf"A mask has {shape[1]} x {shape[0]} pixels, but its image 30 x 20"):
        logits([np.ones(shape, kind)])


def test_logits_may_be_any_square_but_masks_may_not() -> None:
    assert logits([np.zeros((16, 16))]).shape == (1, 1, 16, 16)
    with pytest.raises(InvalidInputError, match="A mask has 16 x 16 pixels, but its image 30 x 20"):
        logits([np.zeros((16, 16), bool)])


def test_every_image_of_a_batch_has_its_own_size() -> None:
    masks = np.ones((2, 20, 30), bool)
    assert mask_tensor(masks, [SIZE, (40, 60)], SIDE).shape == (2, 1, 20, 30)
    with pytest.raises(InvalidInputError, match="A mask has 30 x 20 pixels, but its image 20 x 30"):
        mask_tensor(masks, [SIZE, (30, 20)], SIDE)
