"""The eight released models: four sizes (facts of the published configurations), versions 2.0 and 2.1."""

from typing import Any

from masklet.configuration.sam2 import Sam2Config, Sam2HieraDetConfig, Sam2VisionConfig
from masklet.errors import InvalidInputError
from masklet.json_files import shown

SIZES: dict[str, dict[str, Any]] = {
    "tiny": {"hidden_size": 96, "blocks_per_stage": [1, 2, 7, 2], "global_attention_blocks": [5, 7, 9]},
    "small": {"hidden_size": 96, "blocks_per_stage": [1, 2, 11, 2], "global_attention_blocks": [7, 10, 13]},
    "base_plus": {
        "hidden_size": 112,
        "num_attention_heads": 2,
        "blocks_per_stage": [2, 3, 16, 3],
        "global_attention_blocks": [12, 16, 20],
        "window_positional_embedding_background_size": [14, 14],
    },
    "large": {
        "hidden_size": 144,
        "num_attention_heads": 2,
        "blocks_per_stage": [2, 6, 36, 4],
        "global_attention_blocks": [23, 33, 43],
        "window_size_per_stage": [8, 4, 16, 8],
    },
}
VERSIONS: dict[str, dict[str, Any]] = {
    "2.0": {
        "enable_occlusion_spatial_embedding": False,
        "enable_temporal_pos_encoding_for_object_pointers": False,
    },
    "2.1": {},
}


def preset(size: str, version: str = "2.1") -> Sam2Config:
    """Return the configuration of a released model: `size` tiny, small, base_plus or large; `version` 2.0 or 2.1."""
    if size not in SIZES or version not in VERSIONS:
        raise InvalidInputError(
            f"No released model has size {shown(size)} and version {shown(version)}; "
            f"sizes: {', '.join(SIZES)}; versions: {', '.join(VERSIONS)}."
        )
    backbone = Sam2HieraDetConfig(**SIZES[size])
    vision = Sam2VisionConfig(backbone_config=backbone, backbone_channel_list=backbone.embed_dim_per_stage[::-1])
    return Sam2Config(vision_config=vision, **VERSIONS[version])
