"""Weights to start training from nothing.

The reference draws every weight from one narrow normal distribution, which suits fine-tuning and 256 channels. From
scratch and with fewer channels the signal dies in the decoder's narrow layers; weights scaled to their inputs keep it.
"""

import torch
from torch import nn


@torch.no_grad()
def draw_initial_weights(model: nn.Module) -> None:
    """Draw linear and convolution weights with variance 1 / inputs, embeddings with variance 1; biases are 0."""
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            # A transposed convolution of stride 2 and kernel 2 reads each input channel once an output pixel.
            inputs = module.weight.shape[0] if isinstance(module, nn.ConvTranspose2d) else module.weight[0].numel()
            nn.init.normal_(module.weight, std=inputs**-0.5)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight)
    for name, parameter in model.named_parameters():
        if name.endswith(("pos_embed", "pos_embed_window")):
            nn.init.normal_(parameter, std=0.02)
