"""One image, as the caller holds it, to one input of the network: what images and frames of videos share."""

import math
from typing import Any

import torch
from torch import Tensor

from masklet.processing import pixels as pixel_steps
from masklet.processing.image_options import ImageOptions
from masklet.processing.image_tensors import image_pixels, white_of_frame


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
    if options.do_resize:
        pixels_chw = pixel_steps.resized(pixels_chw, options.size, options.resample)
    if options.do_center_crop:
        pixels_chw = pixel_steps.center_cropped(pixels_chw, options.crop_size)
    factor = options.rescale_factor if options.do_rescale else None
    if options.do_normalize:
        pixels_chw = pixel_steps.normalised(pixels_chw, factor, options.image_mean, options.image_std)
    else:
        pixels_chw = pixels_chw.to(torch.float32) * (1.0 if factor is None else factor)
    return pixel_steps.padded(pixels_chw, options.pad_size) if options.do_pad else pixels_chw
