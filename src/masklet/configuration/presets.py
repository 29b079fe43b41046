"""Presets: the eight released models (facts of the published configurations), and how fast any model tracks."""

from enum import StrEnum
from typing import Any

from masklet.configuration.sam2 import Sam2Config, Sam2HieraDetConfig, Sam2VisionConfig
from masklet.errors import InvalidInputError
from masklet.json_files import shown

CELL = 32  # image sizes are multiples of it
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


class SpeedPreset(StrEnum):
    """How much accuracy is given for speed.

    `EXACT`: the model as it is. `BALANCED`: in bfloat16 where the hardware multiplies that faster, at the model's image
    size. `FAST`: at half the size, too, which means a quarter of the tokens in the encoder and of those in memory, and
    so a sixteenth of the scores between frame and memory.
    """

    EXACT = "exact"
    BALANCED = "balanced"
    FAST = "fast"

    def image_size(self, own: int) -> int:
        """Return the side in pixels at which a model that takes images of side `own` sees them."""
        return max(CELL, own // 2 // CELL * CELL) if self is SpeedPreset.FAST else own

    @property
    def may_round(self) -> bool:
        """True if numbers may be rounded to bfloat16 where that is faster."""
        return self is not SpeedPreset.EXACT
