"""Initial weights for training from scratch.

The reference draws every weight from one narrow normal distribution, which suits fine-tuning and 256 channels. From
scratch, two things have to be learned before anything else can be: signals must survive the decoder's narrow layers,
and a token must find the pixels it was placed on. Both can be given: weights scaled to their inputs, and a decoder
that at first sees positions above all.
"""

import torch
from torch import nn

from masklet.modeling.decoder_attention import DecoderAttention
from masklet.modeling.image_model import Sam2Model

# The decoder's first image features and labels, next to positions of about 1.
CONTENT_SCALE = 0.1


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
