"""Images of every kind a caller may hold, as tensors of pixels [channels, height, width]."""

import os
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from masklet.arrays import number_tensor
from masklet.errors import InvalidInputError
from masklet.json_files import shown
from masklet.media.images import read_image, to_rgb, white_of_image
from masklet.media.pixel_depth import scaled_to_8_bit, white_of

ImageInput = Image.Image | np.ndarray | Tensor | str | os.PathLike[str]

_PLAUSIBLE_CHANNELS = (1, 3, 4)


def image_list(images: object) -> list[Any]:
    """Return single images from one image, a list or tuple of them, or a 4-D batch (array or tensor).

    Raises:
        InvalidInputError: if there is none.
    """
    if isinstance(images, list | tuple) or (isinstance(images, np.ndarray | Tensor) and images.ndim == 4):
        found = list(images)
    else:
        found = [images]
    if not found:
        raise InvalidInputError("No image was given: the list of images is empty.")
    return found


def image_pixels(
    image: ImageInput,
    *,
    channels: int = 3,
    convert: bool = True,
    input_data_format: str | None = None,
    white: float | None = None,
) -> Tensor:
    """Return the pixels of one image as a tensor [channels, height, width], uint8 or float32.

    Files are read upright; images in memory are taken as they lie. Grey images are repeated into all channels and a
    surplus alpha channel is dropped, unless `convert` is False. bool becomes 0 and 255, 16-bit unsigned integers are
    scaled to 8 bits by what they hold (`white_of`), floats keep their values.

    Args:
        image: a Pillow image, a path, or an array or tensor [H, W], [H, W, C] or [C, H, W].
        channels: how many channels the model takes.
        convert: whether to bring the image to that many channels.
        input_data_format: "channels_first" or "channels_last" for arrays and tensors; None infers it, and where both
            would fit takes tensors as channels first and arrays as channels last.
        white: what stands for white in integers of more than 8 bits; None: `white_of` the image.

    Raises:
        UnreadableImageError: if a path cannot be read.
        InvalidInputError: if it is not an image: wrong type or shape, empty, NaN or infinite values.
    """
    if isinstance(image, str | os.PathLike):
        image = read_image(image, white=white)
    if isinstance(image, Image.Image):
        pillow_image = to_rgb(image, white) if convert else image
        pixels = _channels_first(torch.from_numpy(np.array(pillow_image)), "channels_last")
    elif isinstance(image, np.ndarray | Tensor):
        pixels = _channels_first(_as_tensor(image, white), input_data_format or _data_format(image))
    else:
        raise InvalidInputError(
            f"An image must be a PIL image, an array, a tensor or a path, got {type(image).__name__}."
        )
    if pixels.numel() == 0:
        raise InvalidInputError(f"The image is empty: [channels, height, width] is {list(pixels.shape)}.")
    pixels = _as_8_bit_or_float(pixels)
    return _with_channels(pixels, channels) if convert else pixels


def white_of_frame(image: ImageInput) -> float | None:
    """Return `white_of` an image of floats or of integers of more than 8 bits; None for others."""
    if isinstance(image, np.ndarray | Tensor):
        return white_of(_as_array(image)) if _is_deep(image) or _is_float(image) else None
    return white_of_image(image) if isinstance(image, Image.Image | str | os.PathLike) else None


def _as_tensor(values: np.ndarray | Tensor, white: float | None) -> Tensor:
    if _is_deep(values):
        values = scaled_to_8_bit(_as_array(values), white)
    return number_tensor(values, "An image").detach()


def _as_array(values: np.ndarray | Tensor) -> np.ndarray:
    if isinstance(values, np.ndarray):
        return values
    return (values.detach().float() if values.is_floating_point() else values).cpu().numpy()


def _is_deep(values: np.ndarray | Tensor) -> bool:
    is_deep = values.dtype in (torch.uint16, np.dtype(np.uint16), np.dtype(np.uint16).newbyteorder())
    return is_deep and 0 not in values.shape


def _is_float(values: np.ndarray | Tensor) -> bool:
    is_float = values.is_floating_point() if isinstance(values, Tensor) else values.dtype.kind == "f"
    return is_float and 0 not in values.shape


def _data_format(image: np.ndarray | Tensor) -> str:
    """Which end of a 3-D shape looks like channels; the usual layout of its kind decides where both do."""
    if image.ndim != 3:
        return "channels_last"
    candidates = {
        "channels_first": image.shape[0] in _PLAUSIBLE_CHANNELS,
        "channels_last": image.shape[-1] in _PLAUSIBLE_CHANNELS,
    }
    usual = "channels_first" if isinstance(image, Tensor) else "channels_last"
    fitting = [usual] if candidates[usual] else [name for name, fits in candidates.items() if fits]
    if not fitting:
        raise InvalidInputError(
            f"Cannot tell the channels of an image of shape {tuple(image.shape)}: neither end is 1, 3 or 4 long. "
            "Pass input_data_format='channels_first' or 'channels_last'."
        )
    return fitting[0]


def _channels_first(pixels: Tensor, data_format: str) -> Tensor:
    if pixels.ndim == 2:
        return pixels[None]
    if pixels.ndim != 3:
        raise InvalidInputError(
            f"An image must have 2 or 3 dimensions ([H, W], [H, W, C] or [C, H, W]), got shape {tuple(pixels.shape)}."
        )
    if data_format not in ("channels_first", "channels_last"):
        raise InvalidInputError(
            f"input_data_format must be 'channels_first' or 'channels_last', got {shown(data_format)}."
        )
    return pixels if data_format == "channels_first" else pixels.permute(2, 0, 1)


def _as_8_bit_or_float(pixels: Tensor) -> Tensor:
    if pixels.dtype == torch.uint8:
        return pixels
    if pixels.dtype == torch.bool:
        return pixels.to(torch.uint8) * 255
    if pixels.is_floating_point():
        if not pixels.isfinite().all():
            raise InvalidInputError("The image contains NaN or infinite pixels.")
        return pixels.to(torch.float32)
    low, high = int(pixels.min()), int(pixels.max())
    if low < 0 or high > 255:
        raise InvalidInputError(f"Pixels of type {pixels.dtype} must lie in 0..255, got {low}..{high}.")
    return pixels.to(torch.uint8)


def _with_channels(pixels: Tensor, channels: int) -> Tensor:
    given = pixels.shape[0]
    if given == 1:
        return pixels.expand(channels, -1, -1)
    if given == channels:
        return pixels
    if (given, channels) == (4, 3):
        return pixels[:3]
    raise InvalidInputError(
        f"An image must have {'1, 3 or 4' if channels == 3 else f'1 or {channels}'} channels, got {given} "
        f"([channels, height, width] = {list(pixels.shape)})."
    )


def label_maps(maps: object) -> list[Tensor]:
    """Return 2-D maps of class numbers [H, W] from one map, a list of maps, or a 3-D batch.

    Palette images give their palette indices, not colours.

    Raises:
        InvalidInputError: if an entry is not 2-D.
    """
    if isinstance(maps, list | tuple) or (isinstance(maps, np.ndarray | Tensor) and maps.ndim == 3):
        entries = list(maps)
    else:
        entries = [maps]
    tensors = [number_tensor(entry, "A segmentation map") for entry in entries]
    for tensor in tensors:
        if tensor.ndim != 2 or tensor.numel() == 0:
            raise InvalidInputError(f"A segmentation map must be [height, width], got shape {tuple(tensor.shape)}.")
    return tensors
