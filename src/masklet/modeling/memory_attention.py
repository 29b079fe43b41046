"""The current frame looks at what is remembered of an object (SAM 2 paper, section 4 and appendix D)."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from masklet.configuration import Sam2Config
from masklet.modeling.layers import activation
from masklet.modeling.rotary import axial_rotation, rotate
from masklet.modeling.tables import OnceAShape


@dataclass(frozen=True)
class MemoryTokens:
    """What N objects are remembered by: tokens of whole frames, then tokens that lie nowhere on the grid.

    `values` [objects, tokens, memory channels]; `keys` the same with position and time added; the first `frames` * h *
    w tokens are grids of the current frame's size, one after the other.
    """

    values: Tensor
    keys: Tensor
    frames: int


class RotaryAttention(nn.Module):
    """Multi-head attention whose queries and keys are rotated by where they are on the grid."""

    def __init__(self, config: Sam2Config, memory_width: int):
        super().__init__()
        width, heads = config.memory_attention_hidden_size, config.memory_attention_num_attention_heads
        inner = width // config.memory_attention_downsample_rate
        self.heads, self.dropout = heads, config.memory_attention_rope_dropout
        self.q_proj = nn.Linear(width, inner)
        self.k_proj = nn.Linear(memory_width, inner)
        self.v_proj = nn.Linear(memory_width, inner)
        self.o_proj = nn.Linear(inner, width)

    def forward(self, queries: Tensor, keys: Tensor, values: Tensor, frames: int, rotation: Tensor) -> Tensor:
        """Queries [1 or objects, h * w, width] at keys and values [objects, tokens, memory width].

        The first `frames` * h * w keys are rotated like the queries, by `rotation`; the others are not.
        """
        q = rotate(self._split(self.q_proj(queries)), rotation)
        k, v = self._split(self.k_proj(keys)), self._split(self.v_proj(values))
        pixels = queries.shape[1]
        on_grid, off_grid = k.split([frames * pixels, k.shape[2] - frames * pixels], dim=2)
        rotated = rotate(on_grid.unflatten(2, (frames, pixels)), rotation).flatten(2, 3)
        k = torch.cat([rotated, off_grid], dim=2)
        dropout = self.dropout if self.training else 0.0
        out = F.scaled_dot_product_attention(q.expand(len(k), -1, -1, -1), k, v, dropout_p=dropout)
        return self.o_proj(out.transpose(1, 2).flatten(2))

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class MemoryAttentionLayer(nn.Module):
    """Pre-norm self-attention, attention to memory, MLP."""

    def __init__(self, config: Sam2Config):
        super().__init__()
        width, hidden = config.memory_attention_hidden_size, config.memory_attention_feed_forward_hidden_size
        self.self_attn = RotaryAttention(config, width)
        self.cross_attn_image = RotaryAttention(config, config.memory_encoder_output_channels)
        self.linear1 = nn.Linear(width, hidden)
        self.linear2 = nn.Linear(hidden, width)
        self.layer_norm1 = nn.LayerNorm(width)
        self.layer_norm2 = nn.LayerNorm(width)
        self.layer_norm3 = nn.LayerNorm(width)
        self.dropout = nn.Dropout(config.memory_attention_dropout)
        self.act = activation(config.memory_attention_feed_forward_hidden_act)

    def forward(self, x: Tensor, memory: MemoryTokens, rotation: Tensor) -> Tensor:
        """Tokens [1 or objects, h * w, width] to [objects, h * w, width].

        As long as no object has been looked at, all of them share one row of tokens.
        """
        normalized = self.layer_norm1(x)
        x = x + self.dropout(self.self_attn(normalized, normalized, normalized, 1, rotation))
        normalized = self.layer_norm2(x)
        seen = self.cross_attn_image(normalized, memory.keys, memory.values, memory.frames, rotation)
        x = x + self.dropout(seen)
        hidden = self.dropout(self.act(self.linear1(self.layer_norm3(x))))
        return x + self.dropout(self.linear2(hidden))


class MemoryAttention(nn.Module):
    """The layers, the rotation they share and a last norm."""

    def __init__(self, config: Sam2Config):
        super().__init__()
        self.config = config
        self.layers = nn.ModuleList(MemoryAttentionLayer(config) for _ in range(config.memory_attention_num_layers))
        self.layer_norm = nn.LayerNorm(config.memory_attention_hidden_size)
        self._rotation = OnceAShape()

    def forward(self, features: Tensor, positions: Tensor, memory: MemoryTokens) -> Tensor:
        """Condition [1 or objects, channels, h, w] with its sine positions on memory: [objects, channels, h, w]."""
        height, width = features.shape[-2:]
        x = (features + 0.1 * positions).flatten(2).transpose(1, 2)
        for layer in self.layers:
            x = layer(x, memory, self.rotation(height, width, features.device))
        return self.layer_norm(x).transpose(1, 2).unflatten(2, (height, width))

    def rotation(self, height: int, width: int, device: torch.device) -> Tensor:
        """The rotation of a grid, for the channels of one attention head."""
        config = self.config
        inner = config.memory_attention_hidden_size // config.memory_attention_downsample_rate
        channels, theta = inner // config.memory_attention_num_attention_heads, config.memory_attention_rope_theta
        return self._rotation.get(
            lambda: axial_rotation(height, width, channels, theta, device), (height, width, device)
        )
