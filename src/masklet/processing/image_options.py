"""The options of the image processor: their names, defaults and accepted spellings."""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from torch import Tensor

from masklet.arrays import number_tensor
from masklet.configuration.sam2 import LARGEST_IMAGE_SIZE
from masklet.devices import as_device
from masklet.errors import InvalidInputError
from masklet.json_files import is_finite_number, shown
from masklet.processing.sizes import height_and_width

_MOST_CHANNELS = 64
_SIZES = ("size", "mask_size", "crop_size", "pad_size", "mask_pad_size")


@dataclass(kw_only=True, eq=False)
class ImageOptions:
    """How images become model inputs; the defaults are those of every released SAM 2 checkpoint.

    Sizes are {"height": h, "width": w}, (h, w), or one number for a square, in pixels.

    Attributes:
        do_resize: stretch images to `size`.
        size: height and width of the model's input.
        resample: 0 nearest, 2 bilinear, 3 bicubic (Pillow's numbers); antialiased.
        do_center_crop: cut the middle of `crop_size` out of the resized image.
        crop_size: see `do_center_crop`.
        do_rescale: multiply pixels by `rescale_factor`.
        rescale_factor: see `do_rescale`; applies to float images too.
        do_normalize: subtract `image_mean` and divide by `image_std`.
        image_mean: per channel, or one number for all.
        image_std: per channel, or one number for all.
        do_pad: add zeros at the bottom and the right, up to `pad_size` (label maps: `mask_pad_size`).
        pad_size: see `do_pad`.
        mask_pad_size: see `do_pad`.
        mask_size: height and width of label maps.
        do_convert_rgb: bring grey, RGBA, palette and deeper images to 8-bit RGB.
        default_to_square: kept for the files of other versions; one number as `size` always means a square.
        data_format: "channels_first" or "channels_last", the layout of `pixel_values`.
        input_data_format: the layout of arrays and tensors given; None infers it.
        device: where to do the work and leave the tensors; None means where each image is.
        return_tensors: "pt", "np", or None for lists of tensors.
        disable_grouping: kept for callers of other versions; has no effect on results there or here.
    """

    do_resize: bool = True
    size: Any = field(default_factory=lambda: {"height": 1024, "width": 1024})
    resample: int = 2
    do_center_crop: bool | None = None
    crop_size: Any = None
    do_rescale: bool = True
    rescale_factor: float = 1 / 255
    do_normalize: bool = True
    image_mean: Any = field(default_factory=lambda: [0.485, 0.456, 0.406])
    image_std: Any = field(default_factory=lambda: [0.229, 0.224, 0.225])
    do_pad: bool | None = None
    pad_size: Any = None
    mask_pad_size: Any = None
    mask_size: Any = field(default_factory=lambda: {"height": 256, "width": 256})
    do_convert_rgb: bool = True
    default_to_square: bool = True
    data_format: str = "channels_first"
    input_data_format: str | None = None
    device: Any = None
    return_tensors: str | None = None
    disable_grouping: bool | None = None

    def __post_init__(self) -> None:
        for name in _SIZES:
            if getattr(self, name) is not None:
                setattr(self, name, height_and_width(getattr(self, name), name, LARGEST_IMAGE_SIZE))
        if self.device is not None:
            as_device(self.device)
        self.resample = int(_numbers(self.resample, "resample")[0])
        self.rescale_factor = _numbers(self.rescale_factor, "rescale_factor")[0]
        self.image_mean, self.image_std = (_numbers(getattr(self, name), name) for name in ("image_mean", "image_std"))
        if self.data_format not in ("channels_first", "channels_last"):
            raise InvalidInputError(
                f"data_format must be 'channels_first' or 'channels_last', got {shown(self.data_format)}."
            )
        if not self.rescale_factor > 0 or min(self.image_std) <= 0:
            raise InvalidInputError(
                f"rescale_factor and image_std must be above 0, got {self.rescale_factor} and {self.image_std}."
            )
        for switch, size in (("do_center_crop", "crop_size"), ("do_pad", "pad_size")):
            if getattr(self, switch) and getattr(self, size) is None:
                raise InvalidInputError(f"{switch}=True needs a {size}.")

    @property
    def channels(self) -> int:
        """Number of channels that converted images have."""
        return len(self.image_mean) if len(self.image_mean) > 1 else 3


OPTION_NAMES = tuple(option.name for option in fields(ImageOptions))


def _numbers(values: Any, name: str) -> list[float]:
    """Return numbers, or one number, as a list; InvalidInputError for anything else."""
    if isinstance(values, np.ndarray | Tensor):
        values = number_tensor(values, name).flatten()[:_MOST_CHANNELS].tolist()
    listed = list(values) if isinstance(values, Iterable) and not isinstance(values, str) else [values]
    if not listed or not all(is_finite_number(value) for value in listed):
        raise InvalidInputError(
            f"{name} must be a number, or for mean and deviation one per channel; got {shown(values)}."
        )
    return [float(value) for value in listed]
