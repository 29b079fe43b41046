"""Attention in tiles of scores that stay in the processor's cache, for values that are narrower than keys.

torch's fused kernel wants values as wide as keys. Here they may have any width: attention over the raw memory costs
the 64 channels of the memory in place of the 256 of its projection, which can as well be applied to the result.
"""

import torch
from torch import Tensor

from masklet.modeling.pieces import NUMBERS_PER_PIECE

QUERIES_PER_TILE = 1024


def tiled_attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Scaled dot-product attention of queries [n, channels] to keys [m, channels] and values [m, any width].

    The softmax is taken while it goes over the keys (Milakov and Gimelshein 2018). Without gradients.
    """
    scaled = q * q.shape[1] ** -0.5
    keys_per_tile = max(NUMBERS_PER_PIECE // min(QUERIES_PER_TILE, len(q)), 1)
    tiles = list(zip(k.split(keys_per_tile), v.split(keys_per_tile), strict=True))
    return torch.cat([_attend(rows, tiles) for rows in scaled.split(QUERIES_PER_TILE)])


def _attend(q: Tensor, tiles: list[tuple[Tensor, Tensor]]) -> Tensor:
    room = q.new_empty(len(q) * len(tiles[0][0]))
    highest = q.new_full((len(q), 1), -torch.inf)
    total, out = torch.zeros_like(highest), q.new_zeros(len(q), tiles[0][1].shape[1])
    for keys, values in tiles:
        scores = torch.mm(q, keys.T, out=room[: len(q) * len(keys)].view(len(q), len(keys)))
        earlier, highest = highest, torch.maximum(highest, scores.amax(dim=1, keepdim=True))
        shrink = (earlier - highest).exp_()
        weights = scores.sub_(highest).exp_()
        total.mul_(shrink).add_(weights.sum(dim=1, keepdim=True))
        out.mul_(shrink).addmm_(weights, values)
    return out.div_(total)
