"""The steps from pixels to model inputs."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from masklet.errors import InvalidInputError
from masklet.processing.pixels import center_cropped, label_map, normalised, padded, resized

PIXELS = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (3, 30, 41), dtype=np.uint8))


@pytest.mark.parametrize("contiguous", [True, False])
def test_bytes_are_resized_as_bytes(contiguous: bool) -> None:
    pixels = PIXELS if contiguous else PIXELS.permute(1, 2, 0).contiguous().permute(2, 0, 1)
    result = resized(pixels, {"height": 16, "width": 64})
    expected = F.interpolate(PIXELS[None], (16, 64), mode="bilinear", antialias=True)[0]
    assert result.dtype == torch.uint8
    assert torch.equal(result, expected)


def test_bilinear_is_pillows_but_for_single_levels() -> None:
    image = Image.fromarray(PIXELS.permute(1, 2, 0).numpy())
    expected = np.asarray(image.resize((90, 64), Image.Resampling.BILINEAR))
    result = resized(PIXELS, {"height": 64, "width": 90})
    difference = np.abs(result.permute(1, 2, 0).numpy() - expected.astype(int))
    assert difference.max() <= 1
    assert difference.mean() < 0.01


def test_floats_stay_floats() -> None:
    result = resized(PIXELS.float() / 255, {"height": 16, "width": 16})
    exact = F.interpolate(PIXELS[None].double() / 255, (16, 16), mode="bilinear", antialias=True)[0]
    torch.testing.assert_close(result.double(), exact, atol=1e-5, rtol=0)


def test_resampling_numbers_are_pillows() -> None:
    size = {"height": 60, "width": 82}
    for number in (0, 2, 3):
        image = Image.fromarray(PIXELS[0].numpy())
        expected = np.asarray(image.resize((82, 60), Image.Resampling(number)))
        np.testing.assert_allclose(resized(PIXELS[:1], size, number)[0].float(), expected, atol=1)
    with pytest.raises(InvalidInputError, match="resample"):
        resized(PIXELS, size, 1)


def test_normalising_is_fused_in_float32() -> None:
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    result = normalised(PIXELS, 1 / 255, mean, std)
    scaled_mean, scaled_std = (torch.tensor(values) * 255.0 for values in (mean, std))
    assert torch.equal(result, (PIXELS.float() - scaled_mean[:, None, None]) / scaled_std[:, None, None])
    np.testing.assert_allclose(result[1].double(), (PIXELS[1].double() / 255 - mean[1]) / std[1], atol=1e-6)


def test_normalising_leaves_float_input_alone() -> None:
    pixels = torch.ones(3, 2, 2)
    assert torch.equal(normalised(pixels, None, [0.5], [0.25]), torch.full((3, 2, 2), 2.0))
    assert torch.equal(pixels, torch.ones(3, 2, 2))


def test_normalising_needs_a_value_per_channel() -> None:
    with pytest.raises(InvalidInputError, match="3 channels"):
        normalised(PIXELS, 1 / 255, [0.5, 0.5], [1.0])


def test_cropping_and_padding() -> None:
    pixels = torch.arange(1, 13).reshape(1, 3, 4)
    assert center_cropped(pixels, {"height": 1, "width": 2}).tolist() == [[[6, 7]]]
    assert center_cropped(pixels, {"height": 5, "width": 2})[0].tolist() == [[0, 0], [2, 3], [6, 7], [10, 11], [0, 0]]
    assert padded(pixels[:, :1], {"height": 2, "width": 5}).tolist() == [[[1, 2, 3, 4, 0], [0] * 5]]
    with pytest.raises(InvalidInputError, match="smaller"):
        padded(pixels, {"height": 2, "width": 9})


def test_label_maps_keep_whole_numbers_apart() -> None:
    big = 2**40
    labels = label_map(torch.tensor([[0, 255], [big, 7]]), {"height": 4, "width": 4})
    assert labels.dtype == torch.int64
    assert labels[::2, ::2].tolist() == [[0, 255], [big, 7]]
    assert torch.equal(labels, labels[::2, ::2].repeat_interleave(2, 0).repeat_interleave(2, 1))
    # nearest-exact: the pixel whose centre is nearest, (1 + 0.5) * 3 / 2 = 2.25, not floor(1 * 3 / 2) = 1
    assert label_map(torch.tensor([[0, 1, 2]]), {"height": 1, "width": 2}).tolist() == [[0, 2]]
