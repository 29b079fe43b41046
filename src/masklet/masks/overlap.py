"""Masks against each other: objects that may not overlap, and how much two masks agree."""

from collections.abc import Sequence

import numpy as np
import torch
from pycocotools import mask as coco_mask
from torch import Tensor

from masklet.errors import InvalidMaskError
from masklet.masks.counts import area_of, counts_from
from masklet.masks.logits import CERTAIN_LOGIT
from masklet.masks.run_length import RunLength, counts_of, encode_run_length, run_length_of


def without_overlaps(logits: Tensor) -> Tensor:
    """Return mask logits [objects, ...] in which every pixel belongs to at most one object.

    The object with the highest logit keeps a pixel (the first one on a tie); the logits of all others are lowered to
    at most -10 there. One object, or none, is returned as given.
    """
    if logits.shape[0] <= 1:
        return logits
    winner = logits.argmax(dim=0, keepdim=True)
    objects = torch.arange(logits.shape[0], device=logits.device).view(-1, *(1,) * (logits.ndim - 1))
    return torch.where(winner == objects, logits, logits.clamp(max=-CERTAIN_LOGIT))


def intersection_over_union(first: np.ndarray, second: np.ndarray) -> float:
    """Return the intersection over union (Jaccard index), 0 to 1, of two bool masks of equal shape.

    Two empty masks agree perfectly: 1.0.

    Raises:
        InvalidMaskError: if a mask is not bool or the shapes differ.
    """
    if first.dtype != np.bool_ or second.dtype != np.bool_ or first.shape != second.shape:
        raise InvalidMaskError(
            "Intersection over union needs two bool masks of one shape, got "
            f"{first.dtype} {first.shape} and {second.dtype} {second.shape}."
        )
    union = np.count_nonzero(first | second)
    return np.count_nonzero(first & second) / union if union else 1.0


def union_of(run_lengths: Sequence[RunLength], size: tuple[int, int]) -> RunLength:
    """Return the union of masks of one image of that (height, width); of none it is empty."""
    if not run_lengths:
        return encode_run_length(np.zeros(size, dtype=bool))
    merged = coco_mask.merge(list(run_lengths))
    return run_length_of(counts_from(merged["counts"], *size), *size)


def covered_share(run_lengths: Sequence[RunLength], size: tuple[int, int]) -> float:
    """Return the share of the pixels, 0 to 1, of an image of that (height, width) that lie in any of the masks."""
    return area_of(counts_of(union_of(run_lengths, size), *size)) / (size[0] * size[1])
