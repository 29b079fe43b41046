"""Tokens of an image cut into square windows, and back."""

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Grid:
    """Height and width of an image in tokens, and the side of the windows they are stored in (0: not in windows)."""

    height: int
    width: int
    window: int = 0

    def pooled(self) -> "Grid":
        """Return the grid after 2x2 pooling; tokens stay in windows, of half the side."""
        return Grid(self.height // 2, self.width // 2, self.window // 2)

    def fits(self, window: int) -> bool:
        """Whether windows of this side tile the grid without padding."""
        return window > 0 and self.height % window == 0 and self.width % window == 0


def to_windows(x_bhwc: Tensor, window: int) -> Tensor:
    """Cut [batch, height, width, channels] into [batch * windows, window, window, channels], zero-padded as needed."""
    height, width = x_bhwc.shape[1:3]
    if height % window or width % window:
        x_bhwc = F.pad(x_bhwc, (0, 0, 0, -width % window, 0, -height % window))
    batch, rows, columns, channels = x_bhwc.shape
    x = x_bhwc.view(batch, rows // window, window, columns // window, window, channels)
    return x.transpose(2, 3).reshape(-1, window, window, channels)


def from_windows(windows: Tensor, window: int, height: int, width: int) -> Tensor:
    """Undo `to_windows`: [batch, height, width, channels], padding cut off."""
    rows, columns = -(-height // window), -(-width // window)
    x = windows.view(-1, rows, columns, window, window, windows.shape[-1])
    return x.transpose(2, 3).reshape(-1, rows * window, columns * window, x.shape[-1])[:, :height, :width]


def in_layout(x: Tensor, grid: Grid, window: int) -> Tensor:
    """Move tokens stored as `grid` says into windows of side `window` (0: into plain rows)."""
    if grid.window == window:
        return x
    if grid.window:
        x = from_windows(x, grid.window, grid.height, grid.width)
    return to_windows(x, window) if window else x
