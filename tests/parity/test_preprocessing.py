"""Pixels as the references prepare them: antialiased bilinear resize of 8-bit values, then mean and deviation.

transformers' image processor needs torchvision, so that the expected numbers come from three independent statements:
Pillow's resize, a triangle filter written out in float64, and the normalisation formula.
"""

import numpy as np
import pytest
from PIL import Image
from tests.parity.agreement import assert_agrees
from torch import from_numpy

from masklet import Sam2ImageProcessorFast

SIZE = {"height": 48, "width": 48}
MEAN = np.array([0.485, 0.456, 0.406])
DEVIATION = np.array([0.229, 0.224, 0.225])
SHAPES = {"enlarged": (30, 20), "reduced": (100, 170), "enlarged and reduced": (31, 90)}


def noise(shape: tuple[int, int]) -> np.ndarray:
    """The hardest image to resize: nothing in it is smooth."""
    return np.random.default_rng(5).integers(0, 256, (*shape, 3), dtype=np.uint8)


def levels(image: np.ndarray) -> np.ndarray:
    """What the processor makes of an image, with its normalisation undone: 0..255, [height, width, channel]."""
    pixel_values = Sam2ImageProcessorFast(size=SIZE)(image, return_tensors="pt")["pixel_values"]
    assert pixel_values.shape == (1, 3, 48, 48)
    return (pixel_values[0].permute(1, 2, 0).double().numpy() * DEVIATION + MEAN) * 255


def triangle_filter(inputs: int, outputs: int) -> np.ndarray:
    """Antialiased bilinear resizing as a matrix: a triangle around each output's centre, as wide as its input area."""
    scale = inputs / outputs
    centres = (np.arange(outputs) + 0.5) * scale
    distances = np.abs(np.arange(inputs) + 0.5 - centres[:, None]) / max(scale, 1.0)
    weights = np.clip(1 - distances, 0, None)
    return weights / weights.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_resize_against_the_filter_in_float64(shape: tuple[int, int]) -> None:
    image = noise(shape)
    rows, columns = triangle_filter(shape[0], 48), triangle_filter(shape[1], 48)
    exact = np.einsum("oi,ijc,pj->opc", rows, image.astype(np.float64), columns)
    difference = np.abs(levels(image) - exact)
    assert difference.max() < 1.01, "two roundings to 8 bits can cost one level, not more"
    assert difference.mean() < 0.4


def test_enlarging_is_pillows_to_the_last_bit() -> None:
    image = noise(SHAPES["enlarged"])
    expected = np.asarray(Image.fromarray(image).resize((48, 48), Image.Resampling.BILINEAR))
    np.testing.assert_allclose(levels(image), expected, atol=1e-3)


def test_reducing_is_pillows_but_for_single_levels() -> None:
    image = noise(SHAPES["reduced"])
    expected = np.asarray(Image.fromarray(image).resize((48, 48), Image.Resampling.BILINEAR)).astype(np.float64)
    difference = np.abs(levels(image) - expected).round()
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.01


def test_an_image_of_the_right_size_is_only_normalised() -> None:
    image = noise((48, 48))
    pixel_values = Sam2ImageProcessorFast(size=SIZE)(image, return_tensors="pt")["pixel_values"][0]
    expected = (image / 255.0 - MEAN) / DEVIATION
    assert_agrees(pixel_values.permute(1, 2, 0), from_numpy(expected), "pixel values", tolerance=1e-6)


def test_masks_are_enlarged_bilinearly_to_the_original_size() -> None:
    """Against bilinear interpolation at pixel centres with clamped borders, written out in float64."""
    logits = np.random.default_rng(6).normal(size=(1, 2, 12, 12))
    (resized,) = Sam2ImageProcessorFast().post_process_masks([from_numpy(logits).float()], [[30, 17]], binarize=False)
    exact = np.einsum("oi,nmij,pj->nmop", triangle_filter(12, 30), logits, triangle_filter(12, 17))
    assert_agrees(resized, from_numpy(exact), "masks", tolerance=1e-5)
