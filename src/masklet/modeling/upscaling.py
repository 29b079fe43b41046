"""Image tokens to masks of four times as many rows and columns, the last step of the mask decoder."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from masklet.modeling.layers import LayerNorm2d, times_pixels
from masklet.modeling.pieces import pays_in_pieces, pieces
from masklet.modeling.plain_calls import is_plain
from masklet.modeling.positions import OnceAShape


class UpscalingLayers(NamedTuple):
    """The layers of the decoder that enlarge: each convolution doubles rows and columns.

    `matrices` remember what the two convolutions multiply with.
    """

    conv1: nn.ConvTranspose2d
    norm: LayerNorm2d
    conv2: nn.ConvTranspose2d
    matrices: tuple[OnceAShape, OnceAShape]


class Upscaling:
    """Upscaling with the finer levels of an image, which are brought into order once for all objects.

    Args:
        layers: of the decoder.
        levels: the two finer ones, [batch, channels / 8, 4h, 4w] and [batch, channels / 4, 2h, 2w].
    """

    def __init__(self, layers: UpscalingLayers, levels: Sequence[Tensor]) -> None:
        self.conv1, self.norm, self.conv2, matrices = layers
        self.levels = levels
        self.nested = self._nested_levels() if self._can_be_read() else None
        self.matrices = None if self.nested is None else self._matrices(matrices)
        self.places = _places_in_nested_order(levels[0]) if pays_in_pieces(levels[0].device) else None

    def masks(self, image: Tensor, weights: Tensor, grid: tuple[int, int]) -> Tensor:
        """Return logits [batch, objects, outputs, 4h, 4w].

        Args:
            image: tokens [batch, objects, h * w, channels].
            weights: of the outputs [batch, objects, channels / 8, outputs].
            grid: h and w.
        """
        if self.nested is None:
            return self._by_calls(image, weights, grid)
        fine, middle = self.nested
        batch, objects, pixels, channels = image.shape
        widest = batch * objects * 16 * channels // 8
        # Some pixels at a time: none needs another. They come last: few outputs in the last place would be slower.
        parts = [
            times_pixels(weights.mT, self._in_nested_order(image[:, :, piece], middle[:, :, piece], fine[:, :, piece]))
            for piece in pieces(pixels, widest, image)
        ]
        nested = parts[0] if len(parts) == 1 else torch.cat(parts, dim=3)
        if self.places is None:
            return from_nested_order(nested, grid)
        masks = nested.gather(3, self.places.expand(*nested.shape[:3], -1))
        return masks.unflatten(3, (4 * grid[0], 4 * grid[1]))

    def _can_be_read(self) -> bool:
        convolutions = (self.conv1, self.conv2)
        can_be = all(is_plain(conv, nn.ConvTranspose2d) and conv.bias is not None for conv in convolutions)
        return can_be and is_plain(self.norm, LayerNorm2d)

    def _nested_levels(self) -> tuple[Tensor, Tensor]:
        """Return the two finer levels in nested order, with the biases that are added to each pixel, too."""
        assert self.conv1.bias is not None
        assert self.conv2.bias is not None
        fine = in_nested_order(self.levels[0], 2) + self.conv2.bias
        middle = in_nested_order(self.levels[1], 1) + self.conv1.bias
        return fine, middle

    def _matrices(self, remembered: tuple[OnceAShape, OnceAShape]) -> list[Tensor]:
        both = zip(remembered, (self.conv1, self.conv2), strict=True)
        return [each.get(partial(_as_matrix, conv.weight), None, conv.weight) for each, conv in both]

    def _in_nested_order(self, image: Tensor, middle: Tensor, fine: Tensor) -> Tensor:
        """Both transposed convolutions as matrix products on pixels in nested order (see `in_nested_order`)."""
        assert self.matrices is not None
        norm, (first, second) = self.norm, self.matrices
        x = _added_product(middle.flatten(3), image, first).unflatten(-1, (4, -1)).flatten(2, 3)
        x = F.gelu(F.layer_norm(x, norm.normalized_shape, norm.weight, norm.bias, norm.eps))
        x = F.gelu(_added_product(fine.flatten(4).flatten(2, 3), x, second))
        return x.unflatten(-1, (4, -1)).flatten(2, 3)

    def _by_calls(self, image: Tensor, weights: Tensor, grid: tuple[int, int]) -> Tensor:
        """Upscale by calling the layers, which layers of other programs need."""
        objects = image.shape[1]
        fine, middle = (level.repeat_interleave(objects, dim=0) for level in self.levels)
        x = self.conv1(image.flatten(0, 1).transpose(1, 2).unflatten(2, grid)) + middle
        x = F.gelu(self.conv2(F.gelu(self.norm(x))) + fine)
        masks = weights.flatten(0, 1).transpose(1, 2) @ x.flatten(2)
        return masks.unflatten(0, (-1, objects)).unflatten(-1, x.shape[-2:])


def in_nested_order(x_bchw: Tensor, halvings: int) -> Tensor:
    """Pixels grouped by the coarse pixel they lie in: [batch, 1, h * w, 4 (x 4), channels].

    A 2x2 transposed convolution of stride 2 is a matrix product that puts the four new pixels behind the old one; in
    this order it needs no shuffling, and the other operations are pixel by pixel.
    """
    batch, channels, height, width = x_bchw.shape
    scale = 2**halvings
    bits = [2] * halvings
    x = x_bchw.permute(0, 2, 3, 1).reshape(batch, height // scale, *bits, width // scale, *bits, channels)
    pairs = [axis for bit in range(halvings) for axis in (2 + bit, 3 + halvings + bit)]
    x = x.permute(0, 1, 2 + halvings, *pairs, x.ndim - 1)
    return x.reshape(batch, 1, -1, *[4] * halvings, channels)


def from_nested_order(x: Tensor, grid: tuple[int, int]) -> Tensor:
    """[batch, objects, outputs, h * w * 16] in nested order to [batch, objects, outputs, 4h, 4w]."""
    batch, objects, outputs, _ = x.shape
    height, width = grid
    x = x.view(batch, objects, outputs, height, width, 2, 2, 2, 2).permute(0, 1, 2, 3, 5, 7, 4, 6, 8)
    return x.reshape(batch, objects, outputs, 4 * height, 4 * width)


def _places_in_nested_order(level: Tensor) -> Tensor:
    """Where each pixel of [batch, channels, 4h, 4w] lies in nested order, [16 * h * w]: quicker than moving axes."""
    height, width = level.shape[-2] // 4, level.shape[-1] // 4
    nested = torch.arange(16 * height * width, device=level.device).view(1, 1, 1, -1)
    return from_nested_order(nested, (height, width)).flatten()


def _as_matrix(weight: Tensor) -> Tensor:
    """Return what a pixel [channels] is multiplied with to get its four new ones, [channels, 4 * new channels]."""
    return weight.permute(2, 3, 1, 0).flatten(0, 2).T


def _added_product(level: Tensor, x: Tensor, matrix: Tensor) -> Tensor:
    """`level + x @ matrix` of [batch, 1, n, c], [batch, objects, n, k] and [k, c]."""
    if not pays_in_pieces(x.device):
        return level + x @ matrix
    batch, objects = x.shape[:2]  # one step leaves the cache to what comes next
    levels = level.expand(-1, objects, -1, -1).flatten(0, 1)
    return torch.baddbmm(levels, x.flatten(0, 1), matrix.expand(batch * objects, -1, -1)).unflatten(0, (batch, objects))
