"""Axial rotary positions: attention scores see how far apart two grid tokens are (Su et al. 2021; Heo et al. 2024)."""

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


def rotate(x: Tensor, rotation: Tensor) -> Tensor:
    """Rotate neighbouring channels of tokens [..., tokens, channels] by `rotation` (see `axial_rotation`).

    Computed in float32 (float64 for such tokens) and cast back.
    """
    even, odd = x.to(torch.promote_types(x.dtype, torch.float32)).unflatten(-1, (-1, 2)).unbind(-1)
    cosines, sines = rotation
    return torch.stack([even * cosines - odd * sines, even * sines + odd * cosines], dim=-1).flatten(-2).to(x.dtype)
