"""A whole SAM 2 that runs in milliseconds, with random weights in every tensor."""

from typing import Any

import torch

from masklet import Sam2Config, Sam2Model
from masklet.configuration import Sam2HieraDetConfig

OPEN_WINDOWS = [8, 4, 14, 7]  # of the released models: 14 and 7 rarely tile the grid
TILING_WINDOWS = [8, 4, 8, 4]


def small_backbone(windows: list[int] = OPEN_WINDOWS, **fields: Any) -> Sam2HieraDetConfig:
    return Sam2HieraDetConfig(
        **{
            "hidden_size": 8,
            "blocks_per_stage": [1, 2, 3, 2],
            "global_attention_blocks": [4, 6],
            "window_size_per_stage": windows,
            **fields,
        }
    )


def small_config(image_size: int = 96, windows: list[int] = OPEN_WINDOWS, **fields: Any) -> Sam2Config:
    backbone = small_backbone(windows)
    return Sam2Config(
        image_size=image_size,
        vision_config={
            "backbone_config": backbone,
            "backbone_channel_list": backbone.embed_dim_per_stage[::-1],
            "fpn_hidden_size": 64,
        },
        prompt_encoder_config={"hidden_size": 64, "mask_input_channels": 8},
        # With 2 heads of 16 channels, 15 tokens or less are "few" for the decoder's attention.
        mask_decoder_config={
            "hidden_size": 64,
            "mlp_dim": 32,
            "num_attention_heads": 2,
            "iou_head_hidden_dim": 32,
        },
        **fields,
    )


@torch.no_grad()
def randomised(network: Any, seed: int = 0) -> Any:
    """Biases, norms and position tables too: a mistake in any of them must show."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in network.named_parameters():
        deviation = 0.2 if parameter.ndim < 2 else min(parameter[0].numel() ** -0.5, 0.5)
        is_norm_weight = name.endswith("weight") and parameter.ndim == 1
        parameter.copy_(is_norm_weight + deviation * torch.randn(parameter.shape, generator=generator))
    return network.eval()


def small_model(image_size: int = 96, windows: list[int] = OPEN_WINDOWS, seed: int = 0, **fields: Any) -> Sam2Model:
    torch.manual_seed(seed)
    return randomised(Sam2Model(small_config(image_size, windows, **fields)), seed)


def random_pixels(image_size: int = 96, batch: int = 1, seed: int = 0) -> torch.Tensor:
    return torch.randn(batch, 3, image_size, image_size, generator=torch.Generator().manual_seed(seed))


def random_points(batch: int, objects: int, points: int, image_size: int = 96, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(batch, objects, points, 2, generator=generator) * image_size
