"""Masks as prompts: of images as logits, of frames of videos as the network's whole input sees them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from masklet.arrays import number_tensor
from masklet.errors import InvalidInputError
from masklet.masks.logits import certain_logits, check_logits
from masklet.processing.pixels import resized
from masklet.runtimes.protocol import ImageRuntime

Size = tuple[int, int]

_SHORTEST_SIDE = 4
"""Of a mask that is smaller or larger than its image: of fewer pixels any image has the proportions."""

_MOST_DISTORTION = 0.1
"""By how much rounding to whole pixels may change the proportions."""

_INSIDE = 0.5
"""From this value on a resized pixel belongs to the object."""


def mask_tensor(masks: Any, sizes: Sequence[Size], target_size: int) -> Tensor:
    """Return input_masks float32 [B, 1 or P, h, w]: the logits that the network takes as mask prompts of images.

    Args:
        masks: one mask [h, w], or one per object [P, h, w], per image: a list of arrays, tensors or nested lists, or
            one array or tensor [B, h, w] or [B, P, h, w]. Floating point values are logits; of bool and integer masks
            non-zero means inside, and becomes +10, zero -10. Masks have the size of their image, its proportions, or
            the size of the network's own; logits may be any square.
        sizes: (height, width) of each of the B images.
        target_size: side S of the network's input; its own masks are S x S, or S/4 x S/4.

    Raises:
        InvalidInputError: for other shapes, different shapes in one batch, a wrong number of images, and for logits
            that are not finite or of more than 60,000 either way.
    """
    if not isinstance(masks, list | tuple | np.ndarray | Tensor):
        raise InvalidInputError(f"Input masks must be a list, an array or a tensor, got {type(masks).__name__}.")
    if len(masks) != len(sizes):
        raise InvalidInputError(f"Got input_masks for {len(masks)} images but {len(sizes)} images.")
    per_image = [number_tensor(mask, "Input masks") for mask in masks]
    per_image = [mask[None] if mask.ndim == 2 else mask for mask in per_image]
    shapes = sorted({tuple(mask.shape) for mask in per_image})
    if len(shapes) != 1 or len(shapes[0]) != 3 or 0 in shapes[0]:
        raise InvalidInputError(f"Input masks must be [h, w] or [objects, h, w], equal for all images; got {shapes}.")
    for mask_phw, size in zip(per_image, sizes, strict=True):
        height, width = mask_phw.shape[1:]
        if not (mask_phw.is_floating_point() and height == width):
            _check_size((height, width), size, target_size, "its image")
    masks_bphw = torch.stack([_as_logits(mask) for mask in per_image])
    check_logits(masks_bphw)
    return masks_bphw


def _as_logits(mask: Tensor) -> Tensor:
    return mask.float() if mask.is_floating_point() else certain_logits((mask != 0).float())


def network_logits(mask_hw: np.ndarray, runtime: ImageRuntime) -> Tensor:
    """Return the mask of a prompt (bool or logits) as the logits [4h, 4w] that a network takes, on its device."""
    given = torch.tensor(mask_hw, device=runtime.device)
    logits_hw = _as_logits(given.to(runtime.dtype) if given.is_floating_point() else given)
    height, width = runtime.config.prompt_encoder_config.mask_input_size
    return resized(logits_hw[None], {"height": height, "width": width})[0].to(runtime.dtype)


def check_mask(mask_hw: np.ndarray, size: Size, target_size: int) -> None:
    """Raise InvalidInputError for the mask of a prompt that no image of that size (height, width) can have."""
    height, width = mask_hw.shape
    if mask_hw.dtype == np.bool_ or height != width:
        _check_size((height, width), size, target_size, "its image")
    if mask_hw.dtype != np.bool_:
        check_logits(torch.tensor(mask_hw))


def mask_prompts(masks: Any, objects: int, size: Size | None, target_size: int) -> list[Tensor]:
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
    per_object = _split(masks)
    if len(per_object) != objects:
        raise InvalidInputError(f"There are {objects} object ids but {len(per_object)} masks; each object has one.")
    return [_at_network_size(_two_dimensional(mask), size, target_size) for mask in per_object]


def _split(masks: Any) -> list[Any]:
    if isinstance(masks, list | tuple):
        return list(masks)
    tensor = number_tensor(masks, "A mask")
    if tensor.ndim not in (2, 3, 4):
        raise _wrong_dimensions(tensor)
    if tensor.ndim == 4 and 1 not in tensor.shape[:2]:
        raise InvalidInputError(f"There must be one mask an object; got masks of the shape {list(tensor.shape)}.")
    return list(tensor.reshape(-1, *tensor.shape[-2:]))


def _two_dimensional(mask: Any) -> Tensor:
    tensor = number_tensor(mask, "A mask")
    if tensor.ndim not in (2, 3, 4):
        raise _wrong_dimensions(tensor)
    if tensor.shape[:-2].numel() != 1 or tensor.numel() == 0:
        raise InvalidInputError(f"The mask of an object must be [height, width], got the shape {list(tensor.shape)}.")
    values_hw = tensor.reshape(tensor.shape[-2:])
    if not values_hw.is_floating_point():
        return (values_hw != 0).float()
    if not values_hw.isfinite().all():
        raise InvalidInputError("A mask contains NaN or infinite values.")
    return values_hw.float()


def _wrong_dimensions(mask: Tensor) -> InvalidInputError:
    return InvalidInputError(
        f"A mask is [height, width], several are [objects, height, width]; got {mask.ndim} dimensions."
    )


def _at_network_size(mask_hw: Tensor, size: Size | None, target_size: int) -> Tensor:
    height, width = mask_hw.shape
    if size is not None:
        _check_size((height, width), size, target_size, "the video")
    elif not _is_of_network((height, width), target_size):
        raise InvalidInputError(
            f"A mask has {width} x {height} pixels, and how large the stream's frames are is not known yet; push its "
            f"first frame before, give original_size, or a mask of {target_size} x {target_size} pixels."
        )
    square = {"height": target_size, "width": target_size}
    return resized(mask_hw[None].to(torch.float32), square)[0] >= _INSIDE


def _check_size(shape: Size, size: Size, target_size: int, whose: str) -> None:
    """Refuse a mask that is, say, transposed or another image's, and would be stretched over the whole of this one."""
    if not _is_of_network(shape, target_size) and not _is_scaled(shape, size):
        raise InvalidInputError(
            f"A mask has {shape[1]} x {shape[0]} pixels, but {whose} {size[1]} x {size[0]}; masks must have its size "
            "or its proportions."
        )


def _is_of_network(shape: Size, target_size: int) -> bool:
    return shape in ((target_size, target_size), (target_size // 4, target_size // 4))


def _is_scaled(shape: Size, size: Size) -> bool:
    """Whether a shape is a size, or times one factor, up to rounding both sides to whole pixels, and not transposed."""
    if shape == size:
        return True
    (height, width), (whole_height, whole_width) = shape, size
    is_transposed = (height - width) * (whole_height - whole_width) < 0
    distortion = abs(height * whole_width / (width * whole_height) - 1)
    if is_transposed or min(shape) < _SHORTEST_SIDE or distortion > _MOST_DISTORTION:
        return False
    lowest = max((side - 1) / of_whole for side, of_whole in zip(shape, size, strict=True))
    highest = min((side + 1) / of_whole for side, of_whole in zip(shape, size, strict=True))
    return lowest <= highest
