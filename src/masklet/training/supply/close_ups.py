"""Masks seen from near: as many places for a small object as for a large one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

SIDE = 64  # places along each side of a window
MARGIN = 0.25  # of a box's side, on either side of it
LEAST_MARGIN = 8.0  # pixels: two cells of the network's answers


@dataclass
class CloseUps:
    """`windows` [..., 4]: left, top, right and bottom of the object's surroundings as shares of the picture's sides;
    `inside` [..., 64, 64] bool: whether a window's evenly spaced places are on the object."""

    windows: Tensor
    inside: Tensor

    @classmethod
    def of(cls, masks: Tensor) -> "CloseUps":
        """Of masks [..., S, S] bool; an empty one is looked at as a whole."""
        size = masks.shape[-1]
        columns, rows = _window(masks.any(-2)), _window(masks.any(-1))
        windows = torch.stack([columns[0], rows[0], columns[1], rows[1]], dim=-1) / size
        flat = masks.flatten(0, -3)
        across, down = ((size * places).long().clamp(max=size - 1) for places in _places(windows.flatten(0, -2)))
        number = torch.arange(len(flat), device=masks.device)[:, None, None]
        return cls(windows, flat[number, down[:, :, None], across[:, None, :]].unflatten(0, masks.shape[:-2]))

    def of_answers(self, logits: Tensor) -> Tensor:
        """Logits [..., outputs, h, w] of whole pictures, a set for each window, at its places: [..., outputs, 64, 64].

        Between cells they are interpolated as they are for users.
        """
        across, down = (2 * places - 1 for places in _places(self.windows.flatten(0, -2)))
        shape = (len(across), SIDE, SIDE)
        grid = torch.stack([across[:, None, :].expand(shape), down[:, :, None].expand(shape)], dim=-1)
        seen = F.grid_sample(logits.flatten(0, -4), grid, mode="bilinear", padding_mode="border", align_corners=False)
        return seen.unflatten(0, logits.shape[:-3])

    def cells_outside(self, height: int, width: int) -> Tensor:
        """Which of a picture's cells have their middle outside of a window: [..., height, width] bool."""
        x = (torch.arange(width, device=self.windows.device) + 0.5) / width
        y = (torch.arange(height, device=self.windows.device) + 0.5) / height
        left, top, right, bottom = self.windows.unsqueeze(-1).unbind(-2)
        return ~(((y > top) & (y < bottom)).unsqueeze(-1) & ((x > left) & (x < right)).unsqueeze(-2))

    def place_area(self) -> Tensor:
        """The share of the picture that one place stands for: [...]."""
        left, top, right, bottom = self.windows.unbind(-1)
        return (right - left) * (bottom - top) / SIDE**2

    def map(self, change: Callable[[Tensor], Tensor]) -> "CloseUps":
        """With both tensors changed alike: sent elsewhere, or a part of their first dimensions taken."""
        return CloseUps(change(self.windows), change(self.inside))


def joined(close_ups: Sequence[CloseUps]) -> CloseUps:
    """One after the other along the first dimension."""
    return CloseUps(torch.cat([each.windows for each in close_ups]), torch.cat([each.inside for each in close_ups]))


def _window(occupied: Tensor) -> tuple[Tensor, Tensor]:
    """From where to where [...] a window reaches, in pixels; `occupied` [..., S] are the object's rows or columns."""
    size = occupied.shape[-1]
    first = occupied.int().argmax(-1).float()
    end = size - occupied.flip(-1).int().argmax(-1).float()
    margin = (MARGIN * (end - first)).clamp(min=LEAST_MARGIN)
    return (first - margin).clamp(min=0), (end + margin).clamp(max=size)


def _places(windows: Tensor) -> tuple[Tensor, Tensor]:
    """x and y [n, 64] of the places of windows [n, 4], as shares of the picture's sides."""
    steps = (torch.arange(SIDE, device=windows.device) + 0.5) / SIDE
    left, top, right, bottom = windows.unsqueeze(-1).unbind(-2)
    return left + (right - left) * steps, top + (bottom - top) * steps
