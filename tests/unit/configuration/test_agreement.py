"""Parts of configurations that do not fit together are refused when a network is built, before anything runs."""

from typing import Any

import pytest
from tests.support.small_models import small_config
from tests.support.small_video_models import video_config

from masklet.configuration import Sam2Config
from masklet.configuration.agreement import check_image_network, check_video_network, check_vision
from masklet.configuration.presets import SIZES, VERSIONS, preset
from masklet.errors import InvalidInputError
from masklet.modeling.image_model import Sam2Model
from masklet.modeling.video_network import VideoNetwork


def changed(config: Sam2Config, name: str, value: object) -> Sam2Config:
    """The configuration with one field set, by its dotted name, after it was made: no check sees it."""
    *path, last = name.split(".")
    part: Any = config
    for each in path:
        part = getattr(part, each)
    setattr(part, last, value)
    return config


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("version", VERSIONS)
def test_released_models_fit(size: str, version: str) -> None:
    config = preset(size, version)
    check_vision(config.vision_config)
    check_image_network(config)
    check_video_network(config)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("vision_config.fpn_hidden_size", 32, "vision_config.fpn_hidden_size=32, .* must be equal"),
        ("prompt_encoder_config.hidden_size", 32, "prompt_encoder_config.hidden_size=32, .* must be equal"),
        ("mask_decoder_config.num_attention_heads", 3, "3 attention heads do not divide"),
        ("mask_decoder_config.attention_downsample_rate", 1000, "0 within attention"),
        ("vision_config.num_feature_levels", 2, "num_feature_levels=2"),
        ("vision_config.backbone_config.num_query_pool_stages", 2, r"fpn_top_down_levels=\[2\] need"),
        ("vision_config.backbone_config.patch_stride", [8, 4], "do not make a quarter"),
        ("vision_config.backbone_config.patch_padding", [1, 3], "do not make a quarter"),
        ("vision_config.backbone_config.hidden_size", 16, "hidden_size=16 and the first of embed_dim_per_stage, 8"),
        ("vision_config.backbone_config.window_size_per_stage", [7, 4, 14, 7], "holds 7, .* it must be even"),
        ("vision_config.backbone_config.mlp_ratio", 0.0, "mlp_ratio=0.0 leaves no channels"),
        ("prompt_encoder_config.patch_size", 8, "patch_size=8 must be 16"),
    ],
)
def test_image_networks_that_cannot_be(name: str, value: object, message: str) -> None:
    Sam2Model(small_config())
    with pytest.raises(InvalidInputError, match=f"^The parts of a configuration do not fit together: .*{message}"):
        Sam2Model(changed(small_config(), name, value))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("memory_attention_hidden_size", 128, "memory_attention_hidden_size=128, .* must be equal"),
        ("memory_fuser_embed_dim", 32, "memory_fuser_embed_dim=32, .* must be equal"),
        ("memory_attention_num_attention_heads", 7, "its 7 attention heads do not divide"),
        ("memory_encoder_output_channels", 10, "memory_encoder_output_channels=10 must be a multiple of 4"),
        ("mask_downsampler_stride", 1, "mask_downsampler_stride=1, .* do not make a 16th"),  # it never ended
        ("mask_downsampler_total_stride", 8, "mask_downsampler_total_stride=8 do not make a 16th"),
        ("mask_downsampler_padding", 2, "mask_downsampler_padding=2 .* do not make a 16th"),
        ("memory_fuser_kernel_size", 6, "memory_fuser_kernel_size=6 .* do not keep the number of tokens"),
    ],
)
def test_video_networks_that_cannot_be(name: str, value: object, message: str) -> None:
    VideoNetwork(video_config())
    with pytest.raises(InvalidInputError, match=f"^The parts of a configuration do not fit together: .*{message}"):
        VideoNetwork(changed(video_config(), name, value))


def test_an_odd_window_is_no_obstacle_where_all_tokens_see_each_other() -> None:
    config = small_config()
    backbone = config.vision_config.backbone_config
    backbone.window_size_per_stage, backbone.global_attention_blocks = [7, 4, 14, 7], [1, 4, 6]
    Sam2Model(config)
