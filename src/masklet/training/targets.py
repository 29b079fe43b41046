"""Targets of the mask losses: soft ones at the network's resolution, and crops around each object.

A low-resolution pixel is one of the network's mask logits: 4 x 4 pixels of the image. Its target is the fraction of it
that the object covers. They are made where batches are made and compared where losses are computed, so they stand
below both.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from masklet.masks.views import windows_around

SIDE = 64  # sample points along each side of a crop


def binary_targets(targets: Tensor) -> Tensor:
    """Decide which low-resolution pixels are the object's, bool; `targets` [..., h, w] are soft, in 0..1."""
    return target_logits(targets) > 0


def target_logits(targets: Tensor) -> Tensor:
    """Subtract the coverage from which on a low-resolution pixel is the object's: a half.

    Of an object that covers half of no pixel, as a wire does, it is half of what it covers of its fullest one: every
    visible object has a pixel that can be clicked on.

    Args:
        targets: soft targets [..., h, w] in 0..1.
    """
    fullest = targets.amax((-2, -1), keepdim=True)
    return targets - (fullest / 2).clamp(max=0.5)


@dataclass
class CropTargets:
    """Object crops with as many sample points for a small object as for a large one.

    Attributes:
        windows: [..., 4], left, top, right and bottom of each crop as fractions of the image's sides.
        inside: [..., 64, 64] bool, whether a crop's evenly spaced sample points are on the object.
    """

    windows: Tensor
    inside: Tensor

    @classmethod
    def of(cls, masks: Tensor) -> "CropTargets":
        """Crop around each of `masks` [..., S, S] bool; the crop of an empty one is the whole image."""
        size = masks.shape[-1]
        windows = windows_around(masks) / size
        flat = masks.flatten(0, -3)
        across, down = ((size * each).long().clamp(max=size - 1) for each in _sample_points(windows.flatten(0, -2)))
        number = torch.arange(len(flat), device=masks.device)[:, None, None]
        return cls(windows, flat[number, down[:, :, None], across[:, None, :]].unflatten(0, masks.shape[:-2]))

    def sample_logits(self, logits: Tensor) -> Tensor:
        """Sample mask logits at the crops' points, interpolated between pixels as they are for users.

        Args:
            logits: [..., outputs, h, w] of whole images, a set for each crop.

        Returns:
            [..., outputs, 64, 64].
        """
        across, down = (2 * each - 1 for each in _sample_points(self.windows.flatten(0, -2)))
        shape = (len(across), SIDE, SIDE)
        grid = torch.stack([across[:, None, :].expand(shape), down[:, :, None].expand(shape)], dim=-1)
        seen = F.grid_sample(logits.flatten(0, -4), grid, mode="bilinear", padding_mode="border", align_corners=False)
        return seen.unflatten(0, logits.shape[:-3])

    def pixels_outside(self, height: int, width: int) -> Tensor:
        """Find the low-resolution pixels with their center outside of a crop: [..., height, width] bool."""
        x = (torch.arange(width, device=self.windows.device) + 0.5) / width
        y = (torch.arange(height, device=self.windows.device) + 0.5) / height
        left, top, right, bottom = self.windows.unsqueeze(-1).unbind(-2)
        return ~(((y > top) & (y < bottom)).unsqueeze(-1) & ((x > left) & (x < right)).unsqueeze(-2))

    def sample_area(self) -> Tensor:
        """Return the fraction of the image that one sample point stands for: [...]."""
        left, top, right, bottom = self.windows.unbind(-1)
        return (right - left) * (bottom - top) / SIDE**2

    def map(self, change: Callable[[Tensor], Tensor]) -> "CropTargets":
        """Change both tensors alike: move them to a device, or index their first dimensions."""
        return CropTargets(change(self.windows), change(self.inside))


def concatenated(crops: Sequence[CropTargets]) -> CropTargets:
    """Concatenate crops along the first dimension."""
    return CropTargets(torch.cat([each.windows for each in crops]), torch.cat([each.inside for each in crops]))


def _sample_points(windows: Tensor) -> tuple[Tensor, Tensor]:
    """Return x and y [n, 64] of the sample points of windows [n, 4], as fractions of the image's sides."""
    steps = (torch.arange(SIDE, device=windows.device) + 0.5) / SIDE
    left, top, right, bottom = windows.unsqueeze(-1).unbind(-2)
    return left + (right - left) * steps, top + (bottom - top) * steps
