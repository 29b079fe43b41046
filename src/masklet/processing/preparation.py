"""One picture, as the caller holds it, to one input of the network: what still pictures and frames of videos share."""

import warnings
from typing import Any

import torch
from torch import Tensor

from masklet.processing import pixels as pixel_steps
from masklet.processing.image_options import ImageOptions
from masklet.processing.pictures import picture_pixels


def original_pixels(picture: Any, options: ImageOptions) -> Tensor:
    """Return the pixels of a picture [C, H, W], uint8 or float32, at its own size, on the device of the options.

    Raises as `picture_pixels` does; floats that look as if they were rescaled already are warned about.
    """
    pixels_chw = picture_pixels(
        picture,
        channels=options.channels,
        convert=options.do_convert_rgb,
        input_data_format=options.input_data_format,
    )
    if options.do_rescale and pixels_chw.is_floating_point() and 0 < pixels_chw.max() <= 1:
        warnings.warn(
            "A float picture has no value above 1, yet do_rescale=True divides it by 255 once more; "
            "pass do_rescale=False if its range is 0 to 1.",
            stacklevel=4,
        )
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
