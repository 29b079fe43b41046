"""Masks as prompts: every container, the rule of one half, and what cannot be meant."""

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from masklet.errors import InvalidInputError
from masklet.processing.mask_prompts import mask_prompts

SIZE, SIDE = (20, 30), 32


def a_mask(seed: int = 0) -> np.ndarray:
    mask = np.zeros(SIZE, dtype=bool)
    mask[4 : 11 + seed, 6:25] = True
    return mask


def prompts(masks: Any, objects: int = 1, size: tuple[int, int] | None = SIZE) -> list[torch.Tensor]:
    return mask_prompts(masks, objects, size, SIDE)


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
    ("masks", "message"),
    [
        (np.ones(3, bool), "Mask has an unsupported number of dimensions: 1"),
        ([np.ones((1, 1, 1, 20, 30))], "Mask has an unsupported number of dimensions: 5"),
        (np.ones((2, 20, 30)), r"Number of object ids \(1\) does not match number of masks \(2\)"),
        ([a_mask(), a_mask()], r"Number of object ids \(1\) does not match number of masks \(2\)"),
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
