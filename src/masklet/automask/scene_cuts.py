"""Scene cuts, from how the colours of two frames are distributed."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

SIDE = 64  # pixels of the frame that is looked at
BINS = 6  # of each channel
LOWEST, HIGHEST = -2.2, 2.7  # of normalised pixels, black and white

Histogram = tuple[int, ...]


def colour_histogram(pixels_chw: Tensor) -> Histogram:
    """Count the colours of a frame, of which `pixels_chw` [3, S, S] are the normalised pixels: BINS^3 counts."""
    small = F.interpolate(pixels_chw[None].float(), size=(SIDE, SIDE), mode="area")[0].flatten(1)
    bins = ((small - LOWEST) * (BINS / (HIGHEST - LOWEST))).clamp(0, BINS - 1).long()
    places = (bins[0] * BINS + bins[1]) * BINS + bins[2]
    return tuple(torch.bincount(places, minlength=BINS**3).tolist())


def difference(first: Sequence[int], second: Sequence[int]) -> float:
    """Return how different two histograms are, 0 (equal) to 1 (no colour in common): half of the L1 distance."""
    total = max(sum(first), 1)
    return sum(abs(one - other) for one, other in zip(first, second, strict=True)) / (2 * total)
