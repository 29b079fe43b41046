"""From one image, as the caller holds it, to one input of the network: what images and frames of videos share."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from masklet.errors import InvalidInputError
from masklet.json_files import shown
from masklet.processing.image_options import ImageOptions
from masklet.processing.image_tensors import image_pixels, white_of_frame
from masklet.transfers import sent

_INTERPOLATION_MODES = {0: "nearest-exact", 2: "bilinear", 3: "bicubic"}
"""Pillow's resampling numbers as torch's names, as far as torch has the method."""


def resized(pixels_chw: Tensor, size: Mapping[str, int], resample: int = 2) -> Tensor:
    """Return pixels [C, H, W] (uint8 or float) stretched to `size`, antialiased; the dtype stays.

    uint8 is resized in integer arithmetic on the CPU, which is what torchvision's `resize` computes, bit for bit; on
    other devices in float, then rounded.

    Raises:
        InvalidInputError: if `resample` is not 0 (nearest), 2 (bilinear) or 3 (bicubic), as Pillow numbers them.
    """
    if resample not in _INTERPOLATION_MODES:
        raise InvalidInputError(f"resample must be 0 (nearest), 2 (bilinear) or 3 (bicubic), got {shown(resample)}.")
    shape = (size["height"], size["width"])
    if pixels_chw.shape[1:] == shape:
        return pixels_chw
    mode = _INTERPOLATION_MODES[resample]
    is_rounded = pixels_chw.dtype == torch.uint8 and pixels_chw.device.type != "cpu"
    values_chw = pixels_chw.float() if is_rounded else pixels_chw
    values_chw = F.interpolate(values_chw[None], shape, mode=mode, antialias=mode != "nearest-exact")[0]
    return values_chw.round().clamp(0, 255).to(torch.uint8) if is_rounded else values_chw


def center_cropped(pixels_chw: Tensor, size: Mapping[str, int]) -> Tensor:
    """Return the middle of pixels [C, H, W], cut, or filled up with zeros, to `size`."""
    missing = [size["height"] - pixels_chw.shape[1], size["width"] - pixels_chw.shape[2]]
    top, left = missing[0] // 2, missing[1] // 2
    return F.pad(pixels_chw, (left, missing[1] - left, top, missing[0] - top))


def padded(pixels_chw: Tensor, size: Mapping[str, int]) -> Tensor:
    """Return pixels [C, H, W] with zeros at the bottom and the right up to `size`.

    Raises:
        InvalidInputError: if the image is larger.
    """
    bottom, right = size["height"] - pixels_chw.shape[1], size["width"] - pixels_chw.shape[2]
    if bottom < 0 or right < 0:
        raise InvalidInputError(f"Cannot pad an image of {list(pixels_chw.shape[1:])} pixels to the smaller {size}.")
    return F.pad(pixels_chw, (0, right, 0, bottom))


def normalised(pixels_chw: Tensor, factor: float | None, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """Return (pixels * factor - mean) / std per channel, float32.

    It is computed as (pixels - mean/factor) / (std/factor) with float32 constants, as the reference does, to be equal
    to the bit.
    A `factor` of None leaves the pixels unscaled.

    Raises:
        InvalidInputError: if the number of channels is not that of `mean` and `std` (one value serves all channels).
    """
    if any(len(values) not in (1, pixels_chw.shape[0]) for values in (mean, std)):
        raise InvalidInputError(
            f"An image of {pixels_chw.shape[0]} channels cannot be normalised with image_mean={list(mean)} and "
            f"image_std={list(std)}."
        )
    inverse = 1.0 / factor if factor is not None else 1.0
    mean_c11, std_c11 = (
        sent(torch.tensor(values).view(-1, 1, 1) * inverse, pixels_chw.device) for values in (mean, std)
    )
    return pixels_chw.to(torch.float32).sub(mean_c11).div_(std_c11)


def label_map(values_hw: Tensor, size: Mapping[str, int]) -> Tensor:
    """Return a map of class numbers [H, W] at `size` as int64, each the value of the nearest pixel, none blended."""
    # float64 holds every whole number up to 2**53, and torch resizes no int64.
    return resized(values_hw[None].double(), size, resample=0)[0].long()


def original_pixels(image: Any, options: ImageOptions, white: float | None = None) -> Tensor:
    """Return the pixels of an image [C, H, W], uint8 or float32, at its own size, on the device of the options.

    Where bytes will be divided by 255, floats from 0 to 1 are brought to 0 to 255. `white` is the value that stands for
    white in floats, and in integers of more than 8 bits; None: `white_of` the image. Raises as `image_pixels` does.
    """
    pixels_chw = image_pixels(
        image,
        channels=options.channels,
        convert=options.do_convert_rgb,
        input_data_format=options.input_data_format,
        white=white,
    )
    divides_bytes = options.do_rescale and math.isclose(options.rescale_factor * 255, 1, rel_tol=0.01)
    if divides_bytes and pixels_chw.is_floating_point() and (white or white_of_frame(pixels_chw)) == 1:
        pixels_chw = pixels_chw * 255
    return pixels_chw if options.device is None else pixels_chw.to(options.device)


def prepared_pixels(pixels_chw: Tensor, options: ImageOptions) -> Tensor:
    """Return pixels [C, H, W] as the network takes them, float32 [C, height, width]: resized, cropped, normalised."""
    return scaled_pixels(stretched_pixels(pixels_chw, options), options)


def stretched_pixels(pixels_chw: Tensor, options: ImageOptions) -> Tensor:
    """Return pixels [C, H, W] resized and cropped, uint8 as they came: what `scaled_pixels` takes, on any device."""
    if options.do_resize:
        pixels_chw = resized(pixels_chw, options.size, options.resample)
    return center_cropped(pixels_chw, options.crop_size) if options.do_center_crop else pixels_chw


def scaled_pixels(pixels_chw: Tensor, options: ImageOptions) -> Tensor:
    """Return `stretched_pixels` normalised, float32, where they are."""
    factor = options.rescale_factor if options.do_rescale else None
    if options.do_normalize:
        pixels_chw = normalised(pixels_chw, factor, options.image_mean, options.image_std)
    else:
        pixels_chw = pixels_chw.to(torch.float32) * (1.0 if factor is None else factor)
    return padded(pixels_chw, options.pad_size) if options.do_pad else pixels_chw
