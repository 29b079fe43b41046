"""Attention between a handful of prompt tokens and thousands of image tokens.

Shapes: tokens are [batch, objects, tokens, channels]; image tokens are [batch, 1 or objects, pixels, channels], where 1
means that all objects still see the same image tokens, whose projections are then made once for all of them.

With few tokens it is cheaper to move a projection from the image side to the token side. Scores are
q . (W k) = (W^T q) . k, outputs are A (V W) = (A V) W: the same numbers up to rounding, half the arithmetic.
Recorded graphs do without: one of them serves any number of tokens.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from masklet.modeling.layers import attention, times_pixels
from masklet.modeling.plain_calls import is_plain, is_recorded, is_recorded_once


class DecoderAttention(nn.Module):
    """Multi-head attention with an inner width of `width // downsample_rate`; of the tokens to each other."""

    def __init__(self, width: int, heads: int, downsample_rate: int = 1):
        super().__init__()
        self.heads, self.inner = heads, width // downsample_rate
        self.q_proj = nn.Linear(width, self.inner)
        self.k_proj = nn.Linear(width, self.inner)
        self.v_proj = nn.Linear(width, self.inner)
        self.o_proj = nn.Linear(self.inner, width)
        self.scale = (self.inner // heads) ** -0.5

    def forward(self, queries: Tensor, keys: Tensor, values: Tensor, bias: Tensor | None = None) -> Tensor:
        """Plain attention; every argument is [..., sequence, width], `bias` is added to the scores."""
        q, k, v = self._split(self.q_proj(queries)), self._split(self.k_proj(keys)), self._split(self.v_proj(values))
        return self._attend(q, k, v, bias)

    def _attend(self, q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None = None) -> Tensor:
        if bias is not None:
            return self._join(F.scaled_dot_product_attention(q, k, v, attn_mask=bias))
        # torch has fused kernels for four dimensions only.
        seen = attention(*(x.flatten(end_dim=-4) for x in (q, k, v)))
        return self._join(seen).unflatten(0, q.shape[:-3])

    def _are_few(self, tokens: int, *read: nn.Module) -> bool:
        """Whether the projections that are `read` are to be moved to the side of the tokens."""
        is_cheaper = not is_recorded() and tokens * self.heads < self.inner
        return is_cheaper and all(is_plain(layer, nn.Linear) and layer.bias is not None for layer in read)

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(-3, -2)

    def _join(self, x: Tensor) -> Tensor:
        return self.o_proj(x.transpose(-3, -2).flatten(-2))


class TokensToImage(DecoderAttention):
    """Attention in which tokens look at the image."""

    def forward(self, queries: Tensor, keys: Tensor, values: Tensor, bias: Tensor | None = None) -> Tensor:
        """Let tokens (`queries`) attend to image tokens (`keys` and `values`).

        `bias` is broadcast to the scores, [batch, objects, heads, tokens, pixels].
        """
        objects, tokens = queries.shape[1:3]
        if is_recorded_once():
            k, v = (self._split(x).expand(-1, objects, -1, -1, -1) for x in (self.k_proj(keys), self.v_proj(values)))
            return self._attend(self._split(self.q_proj(queries)), k, v, bias)
        if keys.shape[1] == objects and self._are_few(tokens, self.k_proj, self.v_proj):
            return self._few_queries(queries, keys, values, bias)
        if keys.shape[1] == 1 and objects > 1 and bias is None:
            together = queries.flatten(1, 2).unsqueeze(1)
            return super().forward(together, keys, values).view_as(queries)
        return super().forward(queries, keys, values, bias)

    def _few_queries(self, queries: Tensor, keys: Tensor, values: Tensor, bias: Tensor | None) -> Tensor:
        q = self._split(self.q_proj(queries)) * self.scale
        weight, offset = (t.unflatten(0, (self.heads, -1)) for t in (self.k_proj.weight, self.k_proj.bias))
        scores = _products((q @ weight).flatten(2, 3), keys, (q @ offset.unsqueeze(-1)).flatten(2, 3))
        if bias is not None:
            scores = (scores.unflatten(2, (self.heads, -1)) + bias).flatten(2, 3)
        seen = (scores.softmax(-1) @ values).unflatten(2, (self.heads, -1))
        v_weight = self.v_proj.weight.unflatten(0, (self.heads, -1)).transpose(-2, -1)
        return self._join(seen @ v_weight + self.v_proj.bias.unflatten(0, (self.heads, 1, -1)))


class ImageToTokens(DecoderAttention):
    """Attention in which the image looks at tokens."""

    def forward(self, queries: Tensor, keys: Tensor, values: Tensor, bias: Tensor | None = None) -> Tensor:
        """Let image tokens (`queries`) attend to tokens (`keys` and `values`); `bias` is as of `DecoderAttention`.

        Returns [batch, objects, pixels, width], one result an object even if they share the queries.
        """
        objects, tokens = keys.shape[1:3]
        is_shared = queries.shape[1] != objects
        read = (self.o_proj,) if is_shared else (self.q_proj, self.o_proj)
        if bias is not None or not self._are_few(tokens, *read):
            return super().forward(queries.expand(-1, objects, -1, -1), keys, values, bias)
        if is_shared:
            return self.of_projected(self.projected(queries), keys, values)
        k = self._split(self.k_proj(keys)) * self.scale
        weight, offset = (t.unflatten(0, (self.heads, -1)) for t in (self.q_proj.weight, self.q_proj.bias))
        scores = _products((k @ weight).flatten(2, 3), queries, (k @ offset.unsqueeze(-1)).flatten(2, 3))
        return self._of_scores(scores.unflatten(2, (self.heads, tokens)), values)

    def can_be_shared(self, tokens: int) -> bool:
        """Whether image tokens may be `projected` once for all objects, each of so many tokens."""
        return self._are_few(tokens, self.o_proj)

    def projected(self, queries: Tensor) -> Tensor:
        """Return image tokens [batch, 1, pixels, width] that all objects share as `of_projected` takes them."""
        return self._split(self.q_proj(queries)).transpose(-2, -1)

    def of_projected(self, projected: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Return what `forward` does, of image tokens that are projected."""
        return self._of_scores(self._split(self.k_proj(keys)) * self.scale @ projected, values)

    def _of_scores(self, scores: Tensor, values: Tensor) -> Tensor:
        """Return what the image takes of tokens, by scores [batch, objects, heads, tokens, pixels]."""
        # Pixels come last, so that the softmax over the few tokens runs along whole rows of pixels.
        weights = scores.softmax(-2).flatten(2, 3).transpose(-2, -1)
        # Values carry the output projection, and a head's share of its bias: every head's weights add up to 1.
        o_weight = self.o_proj.weight.T.unflatten(0, (self.heads, -1))
        v = self._split(self.v_proj(values)) @ o_weight + self.o_proj.bias / self.heads
        return weights @ v.flatten(2, 3)


def _products(rows: Tensor, pixels: Tensor, offset: Tensor) -> Tensor:
    """`rows @ pixels^T + offset` of [batch, objects, r or p, channels] and [batch, objects, r, 1]: [..., r, p]."""
    if pixels.dtype.itemsize == 2:
        return times_pixels(rows, pixels) + offset
    batched = (x.flatten(0, 1) for x in (offset, rows, pixels.transpose(-2, -1)))
    return torch.baddbmm(*batched).unflatten(0, rows.shape[:2])
