"""The released sizes and the image size."""

from pathlib import Path

import pytest

from masklet import Sam2Model
from masklet.checkpoints.fitting import WithoutRandomValues
from masklet.configuration import Sam2Config, preset
from masklet.errors import InvalidInputError

# Parameters of the released models (2.1), memory included; it is the same in all of them.
RELEASED = {"tiny": 38_962_498, "small": 46_060_354, "base_plus": 80_850_178, "large": 224_446_642}
MEMORY = 7_521_777


@pytest.mark.parametrize("size", RELEASED)
def test_parameters_of_the_released_sizes(size: str) -> None:
    with WithoutRandomValues():
        model = Sam2Model(preset(size))
    assert model.num_parameters() == RELEASED[size] - MEMORY


@pytest.mark.parametrize(
    ("size", "widths", "heads", "blocks", "global_blocks", "windows", "background"),
    [
        ("tiny", [96, 192, 384, 768], [1, 2, 4, 8], [1, 2, 7, 2], [5, 7, 9], [8, 4, 14, 7], [7, 7]),
        ("small", [96, 192, 384, 768], [1, 2, 4, 8], [1, 2, 11, 2], [7, 10, 13], [8, 4, 14, 7], [7, 7]),
        ("base_plus", [112, 224, 448, 896], [2, 4, 8, 16], [2, 3, 16, 3], [12, 16, 20], [8, 4, 14, 7], [14, 14]),
        ("large", [144, 288, 576, 1152], [2, 4, 8, 16], [2, 6, 36, 4], [23, 33, 43], [8, 4, 16, 8], [7, 7]),
    ],
)
def test_backbones_of_the_released_sizes(
    size: str,
    widths: list[int],
    heads: list[int],
    blocks: list[int],
    global_blocks: list[int],
    windows: list[int],
    background: list[int],
) -> None:
    vision = preset(size).vision_config
    backbone = vision.backbone_config
    assert backbone.embed_dim_per_stage == widths == vision.backbone_channel_list[::-1]
    assert backbone.num_attention_heads_per_stage == heads
    assert backbone.blocks_per_stage == blocks
    assert backbone.global_attention_blocks == global_blocks
    assert backbone.window_size_per_stage == windows
    assert backbone.window_positional_embedding_background_size == background
    assert backbone.depth == sum(blocks)


def test_version_2_0_differs_in_two_switches() -> None:
    newer, older = preset("large", "2.1").to_dict(), preset("large", "2.0").to_dict()
    changed = {name: (newer[name], older[name]) for name in newer if newer[name] != older[name]}
    assert changed == {
        "enable_occlusion_spatial_embedding": (True, False),
        "enable_temporal_pos_encoding_for_object_pointers": (True, False),
    }


@pytest.mark.parametrize(("size", "version"), [("huge", "2.1"), ("tiny", "3.0")])
def test_other_sizes_and_versions_are_refused_with_the_list(size: str, version: str) -> None:
    with pytest.raises(InvalidInputError, match=r"tiny, small, base_plus, large; versions: 2.0, 2.1"):
        preset(size, version)


def check_image_size(config: Sam2Config, size: int) -> None:
    assert config.image_size == size
    assert config.prompt_encoder_config.image_size == size
    assert config.prompt_encoder_config.image_embedding_size == (size // 16,) * 2
    assert config.prompt_encoder_config.mask_input_size == (size // 4,) * 2
    assert config.vision_config.backbone_config.image_size == [size, size]
    assert config.vision_config.backbone_feature_sizes == [[size // cell] * 2 for cell in (4, 8, 16)]
    assert config.memory_attention_rope_feat_sizes == [size // 16] * 2


def test_the_image_size_reaches_every_part(tmp_path: Path) -> None:
    check_image_size(Sam2Config(image_size=512), 512)
    Sam2Config().save_pretrained(tmp_path)
    check_image_size(Sam2Config.from_pretrained(tmp_path, image_size=416), 416)
    config = Sam2Config()
    config.set_image_size(96)
    check_image_size(config, 96)


def test_the_prompt_encoders_image_size_counts_where_no_other_is_given() -> None:
    check_image_size(Sam2Config(prompt_encoder_config={"image_size": 128}), 128)


@pytest.mark.parametrize("size", [0, -32, 100, 1000])
def test_image_sizes_without_whole_tokens_are_refused(size: int) -> None:
    with pytest.raises(InvalidInputError, match=f"image_size={size}; it must be a multiple of 32"):
        Sam2Config(image_size=size)
