"""The mask decoder as the papers state it: every object alone, convolutions as convolutions. Slow on purpose."""

import torch
import torch.nn.functional as F
from torch import Tensor

from masklet.modeling.decoder_attention import DecoderAttention
from masklet.modeling.layers import FeedForward
from masklet.modeling.mask_decoder import MaskDecoder
from masklet.modeling.two_way_transformer import TwoWayBlock


def plain_attention(attention: DecoderAttention, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Multi-head attention of [sequence, width] tensors."""
    projected = attention.q_proj(queries), attention.k_proj(keys), attention.v_proj(values)
    heads = []
    for q, k, v in zip(*(t.chunk(attention.heads, dim=-1) for t in projected), strict=True):
        heads.append((q @ k.T / q.shape[-1] ** 0.5).softmax(-1) @ v)
    return attention.o_proj(torch.cat(heads, dim=-1))


def plain_mlp(mlp: FeedForward, x: Tensor) -> Tensor:
    x = F.relu(mlp.proj_in(x))
    for layer in mlp.layers:
        x = F.relu(layer(x))
    return mlp.proj_out(x)


def plain_two_way_block(
    block: TwoWayBlock, tokens: Tensor, image: Tensor, positions: Tensor, image_positions: Tensor
) -> tuple[Tensor, Tensor]:
    if block.is_first:
        tokens = plain_attention(block.self_attn, tokens, tokens, tokens)
    else:
        placed = tokens + positions
        tokens = tokens + plain_attention(block.self_attn, placed, placed, tokens)
    tokens = block.layer_norm1(tokens)
    attention = block.cross_attn_token_to_image
    tokens = tokens + plain_attention(attention, tokens + positions, image + image_positions, image)
    tokens = block.layer_norm2(tokens)
    tokens = block.layer_norm3(tokens + plain_mlp(block.mlp, tokens))
    attention = block.cross_attn_image_to_token
    image = image + plain_attention(attention, image + image_positions, tokens + positions, tokens)
    return tokens, block.layer_norm4(image)


@torch.no_grad()
def plain_decode(
    decoder: MaskDecoder, levels: tuple[Tensor, ...], image_positions_hwc: Tensor, sparse: Tensor, dense_hwc: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Masks [outputs, 4h, 4w], IoUs [outputs] and object score [1] of one object of one image.

    `levels` [channels, height, width]; `sparse` [n, channels]; `dense_hwc` [h, w, channels].
    """
    fine, middle, coarse = levels
    height, width = coarse.shape[1:]
    image = (coarse.permute(1, 2, 0) + dense_hwc).flatten(0, 1)
    image_positions = image_positions_hwc.flatten(0, 1)
    own = [decoder.obj_score_token.weight, decoder.iou_token.weight, decoder.mask_tokens.weight]
    positions = tokens = torch.cat([*own, sparse])
    transformer = decoder.transformer
    for block in transformer.layers:
        tokens, image = plain_two_way_block(block, tokens, image, positions, image_positions)
    attention = transformer.final_attn_token_to_image
    tokens = tokens + plain_attention(attention, tokens + positions, image + image_positions, image)
    tokens = transformer.layer_norm_final_attn(tokens)

    x = image.T.reshape(1, -1, height, width)
    x = F.gelu(decoder.upscale_layer_norm(decoder.upscale_conv1(x) + middle))
    x = F.gelu(decoder.upscale_conv2(x) + fine)[0]
    mask_tokens = tokens[2 : 2 + len(decoder.mask_tokens.weight)]
    weights = [plain_mlp(mlp, token) for mlp, token in zip(decoder.output_hypernetworks_mlps, mask_tokens, strict=True)]
    masks = torch.einsum("oc,chw->ohw", torch.stack(weights), x)
    iou = plain_mlp(decoder.iou_prediction_head, tokens[1]).sigmoid()
    return masks, iou, plain_mlp(decoder.pred_obj_score_head, tokens[0])
