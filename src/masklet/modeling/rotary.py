"""Axial rotary positions: attention scores see how far apart two grid tokens are (Su et al. 2021; Heo et al. 2024).

The released weights rotate neighbouring channels (0 and 1, 2 and 3, ...). Here a token's first half of channels is
rotated with its second half, which needs no strided access; `halves_first` brings a projection's outputs into that
order. The order of channels does not matter to scores if queries and keys have the same.
"""

import torch
from torch import Tensor


def axial_rotation(height: int, width: int, channels: int, theta: float, device: torch.device) -> Tensor:
    """Cosines and sines [2, height * width, channels / 2] of the angle by which each pair of channels is rotated.

    The first half of the pairs turns with x, the second with y. `channels` is a multiple of 4. In float32.
    """
    frequencies = theta ** (-torch.arange(0, channels, 4, device=device, dtype=torch.float32) / channels)
    y, x = torch.meshgrid(torch.arange(height, device=device), torch.arange(width, device=device), indexing="ij")
    angles = torch.cat([x.reshape(-1, 1) * frequencies, y.reshape(-1, 1) * frequencies], dim=-1)
    return torch.stack([angles.cos(), angles.sin()])


def halves_first(rows: Tensor, heads: int) -> Tensor:
    """Reorder the first dimension (of a weight or bias): for each head the even channels, then the odd ones."""
    return rows.unflatten(0, (heads, -1, 2)).transpose(1, 2).flatten(0, 2)


def rotate(x: Tensor, rotation: Tensor) -> Tensor:
    """Rotate tokens [..., tokens, channels], in the order of `halves_first`, by `rotation` (see `axial_rotation`).

    Computed in float32 (float64 for such tokens) and cast back.
    """
    first, second = x.to(torch.promote_types(x.dtype, torch.float32)).chunk(2, dim=-1)
    cosines, sines = rotation
    turned = [
        torch.addcmul(first * cosines, second, sines, value=-1),
        torch.addcmul(first * sines, second, cosines),
    ]
    return torch.cat(turned, dim=-1).to(x.dtype)
