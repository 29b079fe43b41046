"""Initial weights for training from scratch.

The reference draws every weight from one narrow normal distribution, which suits fine-tuning and 256 channels. From
scratch, two things have to be learned before anything else can be: signals must survive the decoder's narrow layers,
and a token must find the pixels it was placed on. Both can be given: weights scaled to their inputs, and a decoder
that at first sees positions above all.

Memory encoder and memory attention begin as a tracker that already follows what hardly moves. From random weights,
memory is noise that the decoder first learns to ignore, and much later to use. But it knows mask prompts, from images.
So memory begins as one: the first channel of a memory is the mask, memory attention reads it around the same place, and
adds to the image features what a mask prompt would add.
"""

import math

import torch
from torch import Tensor, nn

from masklet.masks.logits import CERTAIN_LOGIT
from masklet.modeling.decoder_attention import DecoderAttention
from masklet.modeling.image_model import Sam2Model
from masklet.modeling.memory_attention import MemoryAttentionLayer
from masklet.modeling.memory_encoder import MemoryEncoder, MemoryFuserBlock
from masklet.modeling.rotary_attention import RotaryAttention
from masklet.modeling.video_network import VideoNetwork

# The decoder's first image features and labels, next to positions of about 1.
CONTENT_SCALE = 0.1

# What is drawn at random beside what is meant, so that gradients find it.
NOISE_SCALE = 0.03
# The deepest level's tokens vary by about this much between channels; the decoder hardly notices the difference.
TOKEN_DEVIATION = 2.0
# In queries and keys: with 128 channels, the score of a token's own place is about 10 above that of a distant one.
PLACE_CONSTANT = 2.0


@torch.no_grad()
def draw_scaled_weights(part: nn.Module) -> None:
    """Draw linear and convolution weights with variance 1 / inputs, and embeddings small."""
    for module in part.modules():
        if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            # A transposed convolution of stride 2 and kernel 2 reads each input channel once an output pixel.
            inputs = module.weight.shape[0] if isinstance(module, nn.ConvTranspose2d) else module.weight[0].numel()
            nn.init.normal_(module.weight, std=inputs**-0.5)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=CONTENT_SCALE)


@torch.no_grad()
def draw_initial_weights(model: Sam2Model) -> None:
    """Draw the weights of an image model and let the decoder begin with positions; memory is drawn apart."""
    draw_scaled_weights(model)
    backbone = model.vision_encoder.backbone
    for positions in (backbone.pos_embed, backbone.pos_embed_window):
        nn.init.normal_(positions, std=CONTENT_SCALE)
    decoder = model.mask_decoder
    for conv in (*model.vision_encoder.neck.convs[:2], decoder.conv_s0, decoder.conv_s1):
        conv.weight.mul_(CONTENT_SCALE)
    for module in decoder.transformer.modules():
        if isinstance(module, DecoderAttention):
            _attend_to_likeness(module)
    nn.init.normal_(decoder.mask_tokens.weight)
    # Labels act on the pixels that attend to a click in the same way wherever it is: they must count beside positions.
    nn.init.normal_(model.prompt_encoder.point_embed.weight, std=0.5)


def _attend_to_likeness(attention: DecoderAttention) -> None:
    """Begin with equal query and key projections, so that a token's best match is the pixel it was placed on.

    At twice the usual scale a match scores about 5 above the rest.
    """
    attention.q_proj.weight.mul_(2)
    attention.k_proj.weight.copy_(attention.q_proj.weight)


@torch.no_grad()
def draw_memory_weights(model: VideoNetwork) -> None:
    """Draw the weights that an image model lacks, fitting its prompt encoder."""
    for part in (model.memory_attention, model.memory_encoder, model.object_pointer_proj, model.mask_downsample):
        draw_scaled_weights(part)
    nn.init.normal_(model.memory_temporal_positional_encoding, std=NOISE_SCALE)
    nn.init.normal_(model.no_object_pointer, std=NOISE_SCALE)
    if model.config.enable_occlusion_spatial_embedding:
        nn.init.normal_(model.occlusion_spatial_embedding_parameter, std=NOISE_SCALE)
    nn.init.constant_(model.memory_attention.layer_norm.weight, TOKEN_DEVIATION)
    _encode_the_mask(model.memory_encoder)
    on, off = _dense_prompt(model, CERTAIN_LOGIT), _dense_prompt(model, -CERTAIN_LOGIT)
    none = model.prompt_encoder.no_mask_embed.weight[0]
    layers = [module for module in model.modules() if isinstance(module, MemoryAttentionLayer)]
    for layer in layers:
        layer.self_attn.o_proj.weight.mul_(NOISE_SCALE)
        layer.linear2.weight.mul_(NOISE_SCALE)
        _attend_nearby(layer.cross_attn_image)
        _add_as_prompt(layer.cross_attn_image, (on - off) / 2 / len(layers), ((on + off) / 2 - none) / len(layers))


def _encode_the_mask(encoder: MemoryEncoder) -> None:
    """Let the first channel of memory be about 1 on the object and -1 off it."""
    encoder.feature_projection.weight.mul_(NOISE_SCALE)
    for module in encoder.modules():
        if isinstance(module, MemoryFuserBlock):
            nn.init.constant_(module.scale, NOISE_SCALE)
    weight, bias = encoder.projection.weight, encoder.projection.bias
    assert bias is not None
    masks = (weight.new_full((1, 1, 128, 128), logit) for logit in (CERTAIN_LOGIT, -CERTAIN_LOGIT))
    on, off = (encoder.mask_downsampler(mask)[0, :, 4, 4] for mask in masks)
    readout = 2 * (on - off) / (on - off).square().sum()
    weight[0, :, 0, 0] = readout
    bias[0] = -readout @ (on + off) / 2


def _dense_prompt(model: VideoNetwork, logit: float) -> Tensor:
    """Return the dense embedding in the middle of a mask prompt of one value: [channels]."""
    side = model.prompt_encoder.config.image_embedding_size[0]
    mask = model.no_object_pointer.new_full((1, 1, 4 * side, 4 * side), logit)
    dense: Tensor = model.prompt_encoder.dense(mask, 1)
    return dense[0, 0, side // 2, side // 2]


def _attend_nearby(attention: RotaryAttention) -> None:
    """Begin with the guess that objects are about where they were.

    Where queries and keys are the same constant, a score depends on the distance alone, and only through the pairs of
    channels that turn quickly: a fifth of those for x, which come first, and of those for y.
    """
    for projection in (attention.q_proj, attention.k_proj):
        projection.weight.mul_(0.25)
        of_axes = projection.bias.view(attention.heads, 2, -1)
        of_axes[..., : 2 * math.ceil(of_axes.shape[-1] / 10)] = PLACE_CONSTANT


def _add_as_prompt(attention: RotaryAttention, mark: Tensor, constant: Tensor) -> None:
    """Output the first channel of the values as multiples of `mark` [channels], and `constant` in any case."""
    attention.v_proj.weight[0] = 0
    attention.v_proj.weight[0, 0] = 1
    attention.o_proj.weight.mul_(NOISE_SCALE)
    attention.o_proj.weight[:, 0] = mark
    attention.o_proj.bias.copy_(constant)
