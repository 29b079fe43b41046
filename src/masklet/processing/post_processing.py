"""From the network's low-resolution mask logits to masks of the images' sizes."""

from collections.abc import Iterable, Iterator
from numbers import Real
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from masklet.arrays import number_tensor
from masklet.errors import InvalidMaskError
from masklet.json_files import is_finite_number, shown
from masklet.masks.components import fill_holes_and_remove_specks
from masklet.masks.overlap import without_overlaps
from masklet.processing.sizes import size_pairs


def post_process_masks(
    masks: Any,
    original_sizes: Any,
    *,
    mask_threshold: float = 0.0,
    binarize: bool = True,
    max_hole_area: float = 0.0,
    max_sprinkle_area: float = 0.0,
    apply_non_overlapping_constraints: bool = False,
) -> list[Tensor]:
    """Return masks at the sizes of their images.

    Args:
        masks: mask logits of each image: a list of tensors or arrays [objects, masks, h, w], or all images' in one
            [images, objects, masks, h, w]. None of them is changed.
        original_sizes: pixels of the images, as (height, width): a list, array or tensor [images, 2].
        mask_threshold: logit above which a pixel belongs to the mask.
        binarize: whether to return bool masks; False returns the resized logits.
        max_hole_area: fill holes of at most this many low-resolution pixels (see `fill_holes_and_remove_specks`).
        max_sprinkle_area: remove specks of at most this many low-resolution pixels.
        apply_non_overlapping_constraints: give each pixel to the object with the highest logit only.

    Returns:
        One tensor [objects, masks, height, width] per image, bool, or floating point if `binarize` is False.

    Raises:
        InvalidMaskError: if the masks are of another kind or not one entry per image, or a limit is no number.
    """
    limits = {"mask_threshold": mask_threshold, "max_hole_area": max_hole_area, "max_sprinkle_area": max_sprinkle_area}
    for name, limit in limits.items():
        if not is_finite_number(limit):
            raise InvalidMaskError(f"{name} must be a finite number, got {shown(limit)}.")
    logits_per_image = _logits_per_image(masks)
    sizes = size_pairs(original_sizes)
    if len(logits_per_image) != len(sizes):
        raise InvalidMaskError(f"Got masks of {len(logits_per_image)} images but {len(sizes)} original_sizes.")
    results = []
    for logits_nmhw, size in zip(logits_per_image, sizes, strict=True):
        cleaned_nmhw = _cleaned(logits_nmhw, mask_threshold, max_hole_area, max_sprinkle_area)
        if binarize and not apply_non_overlapping_constraints:
            results.append(_masks_of(cleaned_nmhw, size, mask_threshold))
            continue
        resized_nmhw = upscaled(cleaned_nmhw, size)
        if apply_non_overlapping_constraints:
            resized_nmhw = without_overlaps(resized_nmhw)
        results.append(resized_nmhw > mask_threshold if binarize else resized_nmhw)
    return results


_POSITIONAL_OPTIONS = (
    "mask_threshold",
    "binarize",
    "max_hole_area",
    "max_sprinkle_area",
    "apply_non_overlapping_constraints",
)


def options_by_name(positional: Iterable[Any], keywords: dict[str, Any]) -> dict[str, Any]:
    """Return the keyword arguments of `post_process_masks` from either signature that the public API has had.

    The first positional argument after the sizes is `reshaped_input_sizes` in the seed's version (not a number, and
    without effect on the result), and `mask_threshold` in later ones (a number).
    """
    values = list(positional)
    if values and not isinstance(values[0], Real):
        del values[0]
    names = _POSITIONAL_OPTIONS[: len(values)]
    keywords = {name: value for name, value in keywords.items() if name != "reshaped_input_sizes"}
    if len(values) > len(names):
        raise TypeError(f"post_process_masks takes at most {len(_POSITIONAL_OPTIONS)} options by position.")
    if twice := [name for name in names if name in keywords]:
        raise TypeError(f"post_process_masks got {twice} both by position and by name.")
    if unknown := [name for name in keywords if name not in _POSITIONAL_OPTIONS]:
        raise TypeError(f"post_process_masks does not know {unknown}; its options are {list(_POSITIONAL_OPTIONS)}.")
    return {**dict(zip(names, values, strict=True)), **keywords}


def _logits_per_image(masks: Any) -> list[Tensor]:
    if isinstance(masks, Tensor | np.ndarray):
        if masks.ndim != 5:
            raise InvalidMaskError(
                f"Masks in one tensor must be [images, objects, masks, h, w], got shape {tuple(masks.shape)}."
            )
    elif not isinstance(masks, list | tuple):
        raise InvalidMaskError(f"Masks must be a list, an array or a tensor, got {type(masks).__name__}.")
    logits_per_image = []
    for of_image in masks:
        if not isinstance(of_image, Tensor | np.ndarray):
            raise InvalidMaskError(
                f"The masks of an image must be a tensor or an array, got {type(of_image).__name__}."
            )
        logits = number_tensor(of_image, "The masks of an image")
        if logits.ndim != 4 or 0 in logits.shape[1:]:
            raise InvalidMaskError(
                "The masks of an image must be [objects, masks, h, w] with at least one mask an object and one pixel a "
                f"mask, got shape {tuple(logits.shape)}."
            )
        logits_per_image.append(logits if logits.is_floating_point() else logits.float())
    return logits_per_image


def _cleaned(logits_nmhw: Tensor, threshold: float, max_hole_area: float, max_sprinkle_area: float) -> Tensor:
    if max(max_hole_area, max_sprinkle_area) <= 0:
        return logits_nmhw
    cleaned_nhw = fill_holes_and_remove_specks(logits_nmhw.flatten(0, 1), threshold, max_hole_area, max_sprinkle_area)
    return cleaned_nhw.view_as(logits_nmhw)


def upscaled(logits_nmhw: Tensor, size: tuple[int, int]) -> Tensor:
    """Return logits [n, m, h, w] at an image's size (height, width)."""
    return F.interpolate(logits_nmhw, size, mode="bilinear", align_corners=False)


def enlarged_masks(logits_nmhw: Tensor, size: tuple[int, int], threshold: float = 0.0) -> Iterator[Tensor]:
    """Yield the masks (bool [m, height, width]) of one object after the other, from its logits [m, h, w].

    The full-size logits of many objects would not fit into the memory.
    """
    for logits_mhw in logits_nmhw:
        yield upscaled(logits_mhw.unsqueeze(0), size)[0] > threshold


def _masks_of(logits_nmhw: Tensor, size: tuple[int, int], threshold: float) -> Tensor:
    shape = (*logits_nmhw.shape[:2], *size)
    masks_nmhw = torch.empty(shape, dtype=torch.bool, device=logits_nmhw.device)
    for masks_mhw, found_mhw in zip(masks_nmhw, enlarged_masks(logits_nmhw, size, threshold), strict=True):
        masks_mhw.copy_(found_mhw)
    return masks_nmhw
