"""Position encodings: random Fourier features of prompts and of the image grid, sines of the feature pyramid."""

import math

import torch
from torch import Tensor, nn

from masklet.modeling.plain_calls import is_plain
from masklet.modeling.tables import OnceAShape


class FourierPositions(nn.Module):
    """Random Fourier features of points in the unit square (SAM paper, appendix A; Tancik et al. 2020)."""

    positional_embedding: Tensor

    def __init__(self, channels: int, scale: float):
        super().__init__()
        self.register_buffer("positional_embedding", scale * torch.randn(2, channels // 2))
        self._grid = OnceAShape()

    def forward(self, points: Tensor) -> Tensor:
        """Encode [..., 2] (x, y) in 0..1 as [..., channels]; computed in the embedding's dtype."""
        # Sums of two products, not a matrix product: autocast would round the coordinates to half precision.
        x, y = (2 * points.to(self.positional_embedding.dtype) - 1).unsqueeze(-1).unbind(-2)
        along_x, along_y = self.positional_embedding
        angles = 2 * math.pi * (x * along_x + y * along_y)
        return torch.cat([angles.sin(), angles.cos()], dim=-1)

    def grid(self, height: int, width: int) -> Tensor:
        """Return the encoding of every pixel centre of a grid: [height, width, channels]."""
        if not is_plain(self, FourierPositions):
            return self._encode_grid(height, width)
        return self._grid.get(lambda: self._encode_grid(height, width), (height, width), self.positional_embedding)

    def _encode_grid(self, height: int, width: int) -> Tensor:
        device = self.positional_embedding.device
        y, x = ((torch.arange(size, device=device, dtype=torch.float32) + 0.5) / size for size in (height, width))
        return self(torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1))


def sine_positions(height: int, width: int, channels: int, *, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Normalised 2-D sine encoding [channels, height, width] (DETR), y channels first; computed in float32."""
    half = channels // 2
    frequencies = 10000 ** (2 * (torch.arange(half, device=device) // 2) / half)
    axes = []
    for size in (height, width):
        position = torch.arange(1, size + 1, device=device, dtype=torch.float32) / (size + 1e-6) * (2 * math.pi)
        angles = position[:, None] / frequencies
        axes.append(torch.stack([angles[:, 0::2].sin(), angles[:, 1::2].cos()], dim=-1).flatten(1))
    y = axes[0].T[:, :, None].expand(half, height, width)
    x = axes[1].T[:, None, :].expand(half, height, width)
    return torch.cat([y, x]).to(dtype)
