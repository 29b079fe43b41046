"""Overlapping masks made disjoint."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

from masklet.masks.overlap import union_of
from masklet.masks.run_length import RunLength, decode_run_length, encode_run_length
from masklet.masks.segmentation import Segmentation
from masklet.masks.suppression import containment


def by_logit(segmentation: Segmentation) -> tuple[RunLength, ...]:
    """Return the masks, each pixel with the object of the highest logit there, of equal ones the first.

    Only masks that overlap another are looked at, one by one at the size of the image.
    """
    masks = list(segmentation.run_lengths)
    shares = containment(masks, masks)
    np.fill_diagonal(shares, 0)
    overlapping = np.flatnonzero((shares > 0).any(axis=1)).tolist()
    highest = np.full(segmentation.size, -np.inf, dtype=np.float32)
    owner = np.full(segmentation.size, -1)
    for place in overlapping:
        logits = _enlarged(segmentation, place)
        is_higher = segmentation.mask(place) & (logits > highest)
        highest[is_higher] = logits[is_higher]
        owner[is_higher] = place
    for place in overlapping:
        masks[place] = encode_run_length(owner == place)
    return tuple(masks)


def _enlarged(segmentation: Segmentation, place: int) -> npt.NDArray[np.float32]:
    """Return the logits of a mask at the size of its image."""
    assert segmentation.low_resolution_logits is not None  # of masks that were tracked
    logits_11hw = torch.from_numpy(segmentation.low_resolution_logits[place])[None, None].float()
    return F.interpolate(logits_11hw, size=segmentation.size, mode="bilinear")[0, 0].numpy()


def outside(masks: Sequence[RunLength], others: Sequence[RunLength], size: tuple[int, int]) -> list[RunLength]:
    """Return masks of an image of that (height, width) without what lies in any of the others."""
    covered = union_of(others, size)
    shares = containment(masks, [covered])[:, 0].tolist()
    inverse = ~decode_run_length(covered)
    return [
        encode_run_length(decode_run_length(mask) & inverse) if share else mask
        for mask, share in zip(masks, shares, strict=True)
    ]
