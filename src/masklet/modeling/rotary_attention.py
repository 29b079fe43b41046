"""Attention whose queries and keys are rotated by where they are on the grid.

Axial rotary positions: attention scores see how far apart two grid tokens are (Su et al. 2021; Heo et al. 2024). The
released weights rotate neighbouring channels (0 and 1, 2 and 3, ...). Here a token's first half of channels is rotated
with its second half, which needs no strided access; `halves_first` brings a projection's outputs into that order. The
order of channels does not matter to scores if queries and keys have the same.

Scores are computed in tiles that stay in the processor's cache (`tiled_attention`), for values that are narrower than
keys. torch's fused kernel wants values as wide as keys. Here they may have any width: attention over the raw memory
costs the 64 channels of the memory in place of the 256 of its projection, which can as well be applied to the result.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from masklet.configuration import Sam2Config
from masklet.modeling.layers import attention, attention_by_products, pays_by_products
from masklet.modeling.pieces import NUMBERS_PER_THREAD, in_pieces, pays_in_pieces
from masklet.modeling.plain_calls import is_plain, is_recorded_once
from masklet.modeling.positions import OnceAShape

QUERIES_PER_TILE = 1024
QUERIES_IN_GRAPHS = 512


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


class RotaryAttention(nn.Module):
    """Multi-head attention to tokens of `memory_width` channels.

    Weights of attention add up to one, so it makes no difference whether values are projected before or after it:
    A (V W + b) = (A V) W + b. Where memory is narrower than a head, the second way is less work.
    """

    def __init__(self, config: Sam2Config, memory_width: int):
        super().__init__()
        width, heads = config.memory_attention_hidden_size, config.memory_attention_num_attention_heads
        inner = width // config.memory_attention_downsample_rate
        self.heads, self.inner, self.dropout = heads, inner, config.memory_attention_rope_dropout
        self.values_are_narrow = memory_width < inner // heads
        self.q_proj = nn.Linear(width, inner)
        self.k_proj = nn.Linear(memory_width, inner)
        self.v_proj = nn.Linear(memory_width, inner)
        self.o_proj = nn.Linear(inner, width)
        self._reordered = {
            name: OnceAShape() for name in ("q_proj.weight", "q_proj.bias", "k_proj.weight", "k_proj.bias")
        }

    def forward(self, queries: Tensor, grids: Tensor, loose: Tensor, values: Tensor, rotation: Tensor) -> Tensor:
        """Attend with queries [1 or objects, h * w, width] to keys and values [objects, tokens, memory width].

        The keys are those of `grids` [objects, frames, h * w, memory width], rotated like the queries by `rotation`,
        then those of `loose` [objects, n, memory width], which lie nowhere on a grid.
        """
        q = rotate(self._in_halves("q_proj", queries), rotation)
        if self._pays_over_raw_values(q):
            out = self._over_raw_values(q, grids, loose, values, rotation)
        else:
            out = self._over_all_keys(q, self._rotated_keys(grids, loose, rotation), values)
        return self.o_proj(out.transpose(1, 2).flatten(2))

    def _pays_over_raw_values(self, q: Tensor) -> bool:
        is_fused = q.dtype.itemsize < 4 and not pays_by_products(q)  # on tile units, the wide values cost less
        is_cheaper = self._can_project_afterwards() and not is_fused and pays_in_pieces(q.device)
        return is_cheaper and is_plain(self.k_proj, nn.Linear)

    def _can_project_afterwards(self) -> bool:
        return self.values_are_narrow and not self.training and is_plain(self.v_proj, nn.Linear)

    def _over_raw_values(self, q: Tensor, grids: Tensor, loose: Tensor, values: Tensor, rotation: Tensor) -> Tensor:
        """One object after the other, so that the projected keys of only one of them take memory."""
        attend = attention_by_products if pays_by_products(q) else tiled_attention
        out = []
        queries = q.expand(len(values), -1, -1, -1)
        for q_of_object, grids_of_object, loose_of_object, raw in zip(queries, grids, loose, values, strict=True):
            k = self._rotated_keys(grids_of_object.unsqueeze(0), loose_of_object.unsqueeze(0), rotation)[0]
            seen = [attend(*of_head, raw) for of_head in zip(q_of_object, k, strict=True)]
            out.append(self._projected(torch.stack(seen)))
        return torch.stack(out)

    def _projected(self, seen: Tensor) -> Tensor:
        """Project what each head has seen of the raw values, [..., heads, tokens, memory width]."""
        weights, biases = (rows.unflatten(0, (self.heads, -1)) for rows in (self.v_proj.weight, self.v_proj.bias))
        return seen @ weights.transpose(1, 2) + biases.unsqueeze(1)

    def _over_all_keys(self, q: Tensor, k: Tensor, values: Tensor) -> Tensor:
        """Attend at once to all keys [objects, heads, tokens, head channels]."""
        q = q.expand(k.shape[0], -1, -1, -1)
        # Exported graphs are run by other programs, of which those measured gain by narrow values.
        if is_recorded_once() and self._can_project_afterwards():
            return self._projected(_attention_in_graphs(q, k, values.unsqueeze(1).expand(-1, self.heads, -1, -1)))
        v = self._split(self.v_proj(values))
        if self.training and self.dropout > 0:
            return F.scaled_dot_product_attention(q, k, v, dropout_p=self.dropout)
        return _attention_in_graphs(q, k, v) if is_recorded_once() else attention(q, k, v)

    def _rotated_keys(self, grids: Tensor, loose: Tensor, rotation: Tensor) -> Tensor:
        """[objects, heads, tokens, head channels]; some frames at a time, which stay in the cache.

        No loop goes over the frames: compiled graphs would hold one for each number of them.
        """
        rotated = in_pieces(
            lambda some: rotate(self._in_halves("k_proj", some), rotation),
            grids.flatten(0, 1),
            rotation.shape[1] * self.inner,
            self.k_proj,
        )
        rotated = rotated.unflatten(0, grids.shape[:2]).transpose(1, 2).flatten(2, 3)
        return torch.cat([rotated, self._in_halves("k_proj", loose)], dim=2)

    def _in_halves(self, name: str, x: Tensor) -> Tensor:
        projection = getattr(self, name)
        if not is_plain(projection, nn.Linear):
            return self._split(halves_first(projection(x).movedim(-1, 0), self.heads).movedim(0, -1))
        weight = self._reordered_rows(f"{name}.weight", projection.weight)
        return self._split(F.linear(x, weight, self._reordered_rows(f"{name}.bias", projection.bias)))

    def _reordered_rows(self, name: str, rows: Tensor) -> Tensor:
        return self._reordered[name].get(lambda: halves_first(rows, self.heads), self.heads, rows)

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


def _attention_in_graphs(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Attention in pieces of the queries, as many for each image size: ONNX Runtime holds all scores of a piece."""
    pieces = q.chunk(max(q.shape[-2] // QUERIES_IN_GRAPHS, 1), dim=-2)
    return torch.cat([attention(some, k, v) for some in pieces], dim=-2)


def tiled_attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Scaled dot-product attention of queries [n, channels] to keys [m, channels] and values [m, any width].

    The softmax is taken while it goes over the keys (Milakov and Gimelshein 2018). Without gradients.
    """
    scaled = q * q.shape[1] ** -0.5
    keys_per_tile = max(NUMBERS_PER_THREAD // min(QUERIES_PER_TILE, len(q)), 1)
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
