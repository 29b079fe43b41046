"""Attention whose queries and keys are rotated by where they are on the grid."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from masklet.configuration import Sam2Config
from masklet.modeling.layers import attention
from masklet.modeling.pieces import in_pieces, pays_in_pieces
from masklet.modeling.plain_calls import is_plain
from masklet.modeling.rotary import halves_first, rotate
from masklet.modeling.tiled_attention import tiled_attention


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

    def forward(self, queries: Tensor, grids: Tensor, loose: Tensor, values: Tensor, rotation: Tensor) -> Tensor:
        """Attend with queries [1 or objects, h * w, width] to keys and values [objects, tokens, memory width].

        The keys are those of `grids` [objects, frames, h * w, memory width], rotated like the queries by `rotation`,
        then those of `loose` [objects, n, memory width], which lie nowhere on a grid.
        """
        q = rotate(self._in_halves(self.q_proj, queries), rotation)
        if self._pays_over_raw_values(q):
            out = self._over_raw_values(q, grids, loose, values, rotation)
        else:
            k, v = self._rotated_keys(grids, loose, rotation), self._split(self.v_proj(values))
            q = q.expand(len(k), -1, -1, -1)
            if self.training and self.dropout > 0:
                out = F.scaled_dot_product_attention(q, k, v, dropout_p=self.dropout)
            else:
                out = attention(q, k, v)
        return self.o_proj(out.transpose(1, 2).flatten(2))

    def _pays_over_raw_values(self, q: Tensor) -> bool:
        is_cheaper = self.values_are_narrow and q.dtype.itemsize >= 4 and pays_in_pieces(q.device)
        read = (self.k_proj, self.v_proj)
        return is_cheaper and not self.training and all(is_plain(layer, nn.Linear) for layer in read)

    def _over_raw_values(self, q: Tensor, grids: Tensor, loose: Tensor, values: Tensor, rotation: Tensor) -> Tensor:
        """One object after the other, so that the projected keys of only one of them take memory."""
        weights, biases = (rows.unflatten(0, (self.heads, -1)) for rows in (self.v_proj.weight, self.v_proj.bias))
        out = []
        queries = q.expand(len(values), -1, -1, -1)
        for q_of_object, grids_of_object, loose_of_object, raw in zip(queries, grids, loose, values, strict=True):
            k = self._rotated_keys(grids_of_object.unsqueeze(0), loose_of_object.unsqueeze(0), rotation)[0]
            seen = [tiled_attention(*of_head, raw) for of_head in zip(q_of_object, k, strict=True)]
            out.append(torch.baddbmm(biases.unsqueeze(1), torch.stack(seen), weights.transpose(1, 2)))
        return torch.stack(out)

    def _rotated_keys(self, grids: Tensor, loose: Tensor, rotation: Tensor) -> Tensor:
        """[objects, heads, tokens, head channels]; some frames at a time, which stay in the cache.

        No loop goes over the frames: compiled graphs would hold one for each number of them.
        """
        rotated = in_pieces(
            lambda some: rotate(self._in_halves(self.k_proj, some), rotation),
            grids.flatten(0, 1),
            rotation.shape[1] * self.inner,
            self.k_proj,
        )
        rotated = rotated.unflatten(0, grids.shape[:2]).transpose(1, 2).flatten(2, 3)
        return torch.cat([rotated, self._in_halves(self.k_proj, loose)], dim=2)

    def _in_halves(self, projection: nn.Linear, x: Tensor) -> Tensor:
        if not is_plain(projection, nn.Linear):
            return self._split(halves_first(projection(x).movedim(-1, 0), self.heads).movedim(0, -1))
        weight, bias = (halves_first(rows, self.heads) for rows in (projection.weight, projection.bias))
        return self._split(F.linear(x, weight, bias))

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)
