"""Recipes that train in a second or two, and pictures to train on."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from tests.unit.modeling.small_models import TILING_WINDOWS, small_config

from masklet.configuration import Sam2Config
from masklet.datasets.scenes import SceneMixture
from masklet.training.recipe import Recipe, Stage


def write_pictures(folder: Path, count: int = 3) -> Path:
    """A few smooth colour pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for number in range(count):
        coarse = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f"{number}.png"), cv2.resize(coarse, (96, 72), interpolation=cv2.INTER_CUBIC))
    return folder


def small_video_config() -> Sam2Config:
    """With a memory as narrow as the features, and no dropout."""
    return small_config(
        96,
        TILING_WINDOWS,
        num_maskmem=3,
        memory_attention_hidden_size=64,
        memory_attention_num_layers=1,
        memory_attention_feed_forward_hidden_size=64,
        memory_attention_dropout=0.0,
        memory_attention_rope_dropout=0.0,
        memory_encoder_hidden_size=64,
        memory_encoder_output_channels=32,
        mask_downsampler_embed_dim=64,
        memory_fuser_embed_dim=64,
        memory_fuser_intermediate_dim=64,
    )


def small_recipe(pictures: Path, **changes: Any) -> Recipe:
    """Two stages of three and two steps."""
    stages = (
        Stage(image_size=64, steps=3, scenes_per_step=2, objects_per_scene=2),
        Stage(image_size=96, steps=2, scenes_per_step=1, objects_per_scene=2),
    )
    return Recipe(
        **{
            "name": "small",
            "model": small_video_config(),
            "stages": stages,
            "picture_folders": (pictures,),
            "mixture": SceneMixture(0, 0, 1, 0, 0, 0),
            "rounds": 2,
            "warmup_steps": 2,
            "loader_workers": 0,
            "save_every": 2,
            **changes,
        }
    )
