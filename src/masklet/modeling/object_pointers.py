"""Object pointers as memory tokens (SAM 2 paper, section 4: "object pointers")."""

import torch
from torch import Tensor


def pointer_tokens(pointers: Tensor, channels: int) -> Tensor:
    """Cut pointers [objects, pointers, any] into tokens: [objects, pointers * any / channels, channels]."""
    return pointers.unflatten(-1, (pointers.shape[-1] // channels, channels)).flatten(1, 2)


def sine_times(times: Tensor, channels: int) -> Tensor:
    """Sines and cosines [..., channels] of times [...], 1 being the farthest usual one; computed in float32."""
    half = channels // 2
    frequencies = 10000 ** (2 * (torch.arange(half, device=times.device) // 2) / half)
    angles = times.float().unsqueeze(-1) / frequencies
    return torch.cat([angles.sin(), angles.cos()], dim=-1)
