"""The current frame attends to the memories of an object (SAM 2 paper, section 4 and appendix D)."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from masklet.configuration import Sam2Config
from masklet.modeling.layers import activation
from masklet.modeling.pieces import row_by_row
from masklet.modeling.positions import OnceAShape
from masklet.modeling.rotary_attention import RotaryAttention, axial_rotation


class MemoryTokens(NamedTuple):
    """The memories of N objects: tokens of whole frames, then tokens that lie nowhere on the grid.

    `values` [objects, frames * h * w + n, memory channels]; the same with position and time added are the keys `grids`
    [objects, frames, h * w, memory channels], of the current frame's size, and `loose` [objects, n, memory channels].
    """

    values: Tensor
    grids: Tensor
    loose: Tensor


class MemoryAttentionLayer(nn.Module):
    """Pre-norm self-attention, attention to memory, MLP."""

    def __init__(self, config: Sam2Config):
        super().__init__()
        width, self.hidden = config.memory_attention_hidden_size, config.memory_attention_feed_forward_hidden_size
        self.self_attn = RotaryAttention(config, width)
        self.cross_attn_image = RotaryAttention(config, config.memory_encoder_output_channels)
        self.linear1 = nn.Linear(width, self.hidden)
        self.linear2 = nn.Linear(self.hidden, width)
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
        x = x + self.dropout(
            self.self_attn(normalized, normalized.unsqueeze(1), normalized[:, :0], normalized, rotation)
        )
        normalized = self.layer_norm2(x)
        seen = self.cross_attn_image(normalized, memory.grids, memory.loose, memory.values, rotation)
        x = x + self.dropout(seen)
        called = (self.layer_norm3, self.linear1, self.linear2, self.dropout)
        return x + row_by_row(self._feed_forward, x, self.hidden, *called)

    def _feed_forward(self, x: Tensor) -> Tensor:
        hidden = self.dropout(self.act(self.linear1(self.layer_norm3(x))))
        return self.dropout(self.linear2(hidden))


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
        """Return the rotation of a grid, for the channels of one attention head."""
        config = self.config
        inner = config.memory_attention_hidden_size // config.memory_attention_downsample_rate
        channels, theta = inner // config.memory_attention_num_attention_heads, config.memory_attention_rope_theta
        return self._rotation.get(
            lambda: axial_rotation(height, width, channels, theta, device), (height, width, device)
        )
