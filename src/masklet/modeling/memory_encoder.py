"""Encode a frame and an object's mask on it as a memory of the object (SAM 2 paper, section 4 and appendix D)."""

import torch
from torch import Tensor, nn

from masklet.configuration import Sam2Config
from masklet.modeling.layers import LayerNorm2d, activation, pointwise


class MaskDownsamplerLayer(nn.Module):
    """A strided convolution, norm and activation."""

    def __init__(self, config: Sam2Config, width: int, out_width: int):
        super().__init__()
        kernel, stride = config.mask_downsampler_kernel_size, config.mask_downsampler_stride
        self.conv = nn.Conv2d(width, out_width, kernel, stride, config.mask_downsampler_padding)
        self.layer_norm = LayerNorm2d(out_width, eps=1e-6)
        self.act = activation(config.mask_downsampler_hidden_act)

    def forward(self, x: Tensor) -> Tensor:
        """[n, width, height, width] to [n, out_width, height / stride, width / stride]."""
        return self.act(self.layer_norm(self.conv(x)))


class MaskDownsampler(nn.Module):
    """Mask to the resolution and width of the image features; with each layer channels grow as pixels become fewer."""

    def __init__(self, config: Sam2Config):
        super().__init__()
        stride, width, reached = config.mask_downsampler_stride, 1, 1
        self.layers = nn.ModuleList()
        while reached < config.mask_downsampler_total_stride:
            self.layers.append(MaskDownsamplerLayer(config, width, width * stride**2))
            width, reached = width * stride**2, reached * stride
        self.final_conv = nn.Conv2d(width, config.mask_downsampler_embed_dim, kernel_size=1)

    def forward(self, masks: Tensor) -> Tensor:
        """[n, 1, S, S] to [n, channels, S / total stride, S / total stride]."""
        for layer in self.layers:
            masks = layer(masks)
        # A matrix product: OpenVINO fuses a convolution with what is added to it, and loses the number of masks.
        return pointwise(self.final_conv, masks.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class MemoryFuserBlock(nn.Module):
    """A ConvNeXt block (Liu et al. 2022)."""

    def __init__(self, config: Sam2Config):
        super().__init__()
        width, hidden = config.memory_fuser_embed_dim, config.memory_fuser_intermediate_dim
        kernel, padding = config.memory_fuser_kernel_size, config.memory_fuser_padding
        self.depthwise_conv = nn.Conv2d(width, width, kernel, padding=padding, groups=width)
        self.layer_norm = LayerNorm2d(width, eps=1e-6)
        self.pointwise_conv1 = nn.Linear(width, hidden)
        self.pointwise_conv2 = nn.Linear(hidden, width)
        self.scale = nn.Parameter(config.memory_fuser_layer_scale_init_value * torch.ones(width))
        self.act = activation(config.memory_fuser_hidden_act)

    def forward(self, x: Tensor) -> Tensor:
        """[n, channels, h, w] to the same shape."""
        mixed = self.layer_norm(self.depthwise_conv(x)).permute(0, 2, 3, 1)
        mixed = self.scale * self.pointwise_conv2(self.act(self.pointwise_conv1(mixed)))
        return x + mixed.permute(0, 3, 1, 2)


class MemoryFuser(nn.Module):
    """ConvNeXt blocks in a row."""

    def __init__(self, config: Sam2Config):
        super().__init__()
        self.layers = nn.ModuleList(MemoryFuserBlock(config) for _ in range(config.memory_fuser_num_layers))

    def forward(self, x: Tensor) -> Tensor:
        """[n, channels, h, w] to the same shape."""
        for layer in self.layers:
            x = layer(x)
        return x


class MemoryEncoder(nn.Module):
    """Image features and a mask, fused into few channels."""

    def __init__(self, config: Sam2Config):
        super().__init__()
        width = config.memory_encoder_hidden_size
        self.mask_downsampler = MaskDownsampler(config)
        self.feature_projection = nn.Conv2d(width, width, kernel_size=1)
        self.memory_fuser = MemoryFuser(config)
        self.projection = nn.Conv2d(width, config.memory_encoder_output_channels, kernel_size=1)

    def forward(self, features: Tensor, masks: Tensor) -> Tensor:
        """Features [1 or n, channels, h, w], masks [n, 1, S, S] (scaled probabilities): [n, h * w, memory channels]."""
        projected = pointwise(self.feature_projection, features.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        fused = self.memory_fuser(projected + self.mask_downsampler(masks))
        return pointwise(self.projection, fused.permute(0, 2, 3, 1)).flatten(1, 2)
