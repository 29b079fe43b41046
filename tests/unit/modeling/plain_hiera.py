"""The backbone as the paper states it: one window at a time, tokens always in rows. Slow on purpose."""

import torch
import torch.nn.functional as F
from torch import Tensor

from masklet.modeling.hiera import HieraBlock, Sam2HieraDetModel, WindowAttention


def pooled(x_bhwc: Tensor) -> Tensor:
    return F.max_pool2d(x_bhwc.permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1)


def attended(attention: WindowAttention, window_bhwc: Tensor) -> Tensor:
    """Self-attention among all tokens of one window."""
    q, k, v = F.linear(window_bhwc, attention.qkv.weight, attention.qkv.bias).chunk(3, dim=-1)
    q = pooled(q) if attention.pools else q
    heads = []
    for q_head, k_head, v_head in zip(*(t.chunk(attention.heads, dim=-1) for t in (q, k, v)), strict=True):
        scores = q_head.flatten(1, 2) @ k_head.flatten(1, 2).transpose(1, 2) / q_head.shape[-1] ** 0.5
        heads.append(scores.softmax(-1) @ v_head.flatten(1, 2))
    return attention.proj(torch.cat(heads, dim=-1)).view(*q.shape[:3], -1)


def in_each_window(attention: WindowAttention, x_bhwc: Tensor, side: int) -> Tensor:
    height, width = x_bhwc.shape[1:3]
    padded = F.pad(x_bhwc, (0, 0, 0, -width % side, 0, -height % side))
    rows = [
        torch.cat(
            [
                attended(attention, padded[:, top : top + side, left : left + side])
                for left in range(0, padded.shape[2], side)
            ],
            dim=2,
        )
        for top in range(0, padded.shape[1], side)
    ]
    shrink = 2 if attention.pools else 1
    return torch.cat(rows, dim=1)[:, : height // shrink, : width // shrink]


def plain_block(block: HieraBlock, x: Tensor) -> Tensor:
    shape, attention = block.shape, block.attn
    normalized = block.layer_norm1(x)
    if shape.width != shape.out_width:
        x = block.proj(normalized)
        x = pooled(x) if shape.pools else x
    x = x + in_each_window(attention, normalized, shape.window) if shape.window else x + attended(attention, normalized)
    hidden = F.gelu(block.mlp.proj_in(block.layer_norm2(x)))
    return x + block.mlp.proj_out(hidden)


def plain_positions(model: Sam2HieraDetModel, height: int, width: int) -> Tensor:
    table = F.interpolate(model.pos_embed, size=(height, width), mode="bicubic", align_corners=False)
    side = model.pos_embed_window.shape[-1]
    for row in range(height):
        for column in range(width):
            table[:, :, row, column] += model.pos_embed_window[:, :, row % side, column % side]
    return table.permute(0, 2, 3, 1)


@torch.no_grad()
def plain_stages(model: Sam2HieraDetModel, pixel_values: Tensor) -> list[Tensor]:
    """The tokens [batch, h, w, channels] after each block of `model`."""
    x = model.patch_embed.projection(pixel_values).permute(0, 2, 3, 1)
    x = x + plain_positions(model, x.shape[1], x.shape[2])
    outputs = []
    for block in model.blocks:
        x = plain_block(block, x)
        outputs.append(x)
    return outputs
