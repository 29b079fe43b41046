"""Masks that tell what an object is on a frame of a video, as the network's whole input sees them."""

from typing import Any

import torch
from torch import Tensor

from masklet.errors import InvalidInputError
from masklet.processing.arrays import number_tensor
from masklet.processing.pixels import resized

_INSIDE = 0.5
"""From this value on a resized pixel belongs to the object."""


def mask_prompts(masks: Any, objects: int, size: tuple[int, int] | None, target_size: int) -> list[Tensor]:
    """Return one mask bool [S, S] for each object; an empty one says that the object is not on the frame.

    Args:
        masks: a mask for each object in a list, or an array or tensor [N, H, W], [N, 1, H, W] or [1, N, H, W]; one mask
            [H, W] for one object. Of bool and integers non-zero means inside. Floating point values, say logits, are
            resized as they are, and from 0.5 on mean inside.
        objects: number of objects N.
        size: (height, width) of the video; None if not known, which will do for masks of the network's own size.
        target_size: side S of the network's input.

    Raises:
        InvalidInputError: for another number of masks, other shapes, NaN or infinite values; for masks with neither
            the proportions of the video nor the size of the network's own (S x S, or S/4 x S/4).
    """
    per_object = [_two_dimensional(mask) for mask in _split(masks)]
    if len(per_object) != objects:
        raise InvalidInputError(f"Number of object ids ({objects}) does not match number of masks ({len(per_object)})")
    return [_at_network_size(mask_hw, size, target_size) for mask_hw in per_object]


def _split(masks: Any) -> list[Any]:
    if isinstance(masks, list | tuple):
        return list(masks)
    tensor = number_tensor(masks, "A mask")
    if tensor.ndim not in (2, 3, 4):
        raise InvalidInputError(f"Mask has an unsupported number of dimensions: {tensor.ndim}")
    if tensor.ndim == 4 and 1 not in tensor.shape[:2]:
        raise InvalidInputError(f"There must be one mask an object; got masks of the shape {list(tensor.shape)}.")
    return list(tensor.reshape(-1, *tensor.shape[-2:]))


def _two_dimensional(mask: Any) -> Tensor:
    tensor = number_tensor(mask, "A mask")
    if tensor.ndim not in (2, 3, 4):
        raise InvalidInputError(f"Mask has an unsupported number of dimensions: {tensor.ndim}")
    if tensor.shape[:-2].numel() != 1 or tensor.numel() == 0:
        raise InvalidInputError(f"The mask of an object must be [height, width], got the shape {list(tensor.shape)}.")
    values_hw = tensor.reshape(tensor.shape[-2:])
    if not values_hw.is_floating_point():
        return (values_hw != 0).float()
    if not values_hw.isfinite().all():
        raise InvalidInputError("A mask contains NaN or infinite values.")
    return values_hw.float()


def _at_network_size(mask_hw: Tensor, size: tuple[int, int] | None, target_size: int) -> Tensor:
    height, width = mask_hw.shape
    is_of_network = (height, width) in ((target_size, target_size), (target_size // 4, target_size // 4))
    if size is None and not is_of_network:
        raise InvalidInputError(
            f"A mask has {width} x {height} pixels, and how large the stream's frames are is not known yet; push its "
            f"first frame before, give original_size, or a mask of {target_size} x {target_size} pixels."
        )
    if size is not None and not is_of_network and not _is_scaled((height, width), size):
        raise InvalidInputError(
            f"A mask has {width} x {height} pixels, but the video {size[1]} x {size[0]}; masks must have its size or "
            "its proportions."
        )
    square = {"height": target_size, "width": target_size}
    return resized(mask_hw[None].to(torch.float32), square)[0] >= _INSIDE


def _is_scaled(shape: tuple[int, int], size: tuple[int, int]) -> bool:
    """Whether a shape is a size times one factor, up to rounding both sides to whole pixels."""
    lowest = max((side - 1) / of_video for side, of_video in zip(shape, size, strict=True))
    highest = min((side + 1) / of_video for side, of_video in zip(shape, size, strict=True))
    return lowest <= highest
