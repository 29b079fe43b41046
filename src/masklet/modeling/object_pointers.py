"""Object pointers as memory tokens (SAM 2 paper, section 4: "object pointers")."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class PointerMemory:
    """One object pointer of N objects.

    `pointer` [objects, channels]; `distance` is how many frames back it was made, along the direction of tracking;
    int64 [objects] where that differs.
    """

    pointer: Tensor
    distance: int | Tensor


def pointer_tokens(pointers: Sequence[PointerMemory], channels: int, dtype: torch.dtype) -> Tensor:
    """Cut each pointer into tokens of `channels` channels: [objects, pointers * tokens, channels]."""
    tokens = [memory.pointer.to(dtype).unflatten(-1, (-1, channels)) for memory in pointers]
    return torch.cat(tokens, dim=1)


def sine_times(times: Tensor, channels: int) -> Tensor:
    """Sines and cosines [..., channels] of times [...], 1 being the farthest usual one; computed in float32."""
    half = channels // 2
    frequencies = 10000 ** (2 * (torch.arange(half, device=times.device) // 2) / half)
    angles = times.float().unsqueeze(-1) / frequencies
    return torch.cat([angles.sin(), angles.cos()], dim=-1)
