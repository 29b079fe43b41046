"""Recipes that train in a second or two, and images to train on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from tests.support.small_models import TILING_WINDOWS, small_config

from masklet.configuration import Sam2Config
from masklet.datasets.scenes import SceneMixture
from masklet.modeling.video_network import VideoNetwork
from masklet.training.run.observer import RunOutline
from masklet.training.run.run_state import STATE_FILE
from masklet.training.settings.recipe import Recipe
from masklet.training.settings.stages import Stage


def write_plain_images(folder: Path, count: int = 3) -> Path:
    """A few smooth colour images."""
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


def small_recipe(images: Path, **changes: Any) -> Recipe:
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
            "image_folders": (images,),
            "mixture": SceneMixture(0, 0, 1, 0, 0, 0),
            "prompt_rounds": 2,
            "warmup_steps": 2,
            "loader_workers": 0,
            "save_every": 2,
            **changes,
        }
    )


class Stopped(BaseException):
    """What a listener raises to stop a run, as an interrupt would."""


class Listener:
    """Keeps the curves of a run and what it was told; stops it after some step if asked to."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.stop_after = stop_after
        self.curves: dict[int, dict[str, float]] = {}
        self.told: list[str] = []

    def began(self, run: RunOutline) -> None:
        self.told.append(f"began at {run.first_step}")

    def stepped(self, step: int, values: Mapping[str, float]) -> None:
        self.curves[step] = dict(values)
        self.told.append(f"stepped {step}")
        if step == self.stop_after:
            raise Stopped

    def saved(self, step: int, ema_network: VideoNetwork) -> None:
        assert not ema_network.training
        self.told.append(f"saved {step}")

    def finished(self) -> None:
        self.told.append("finished")


def saved_state(folder: Path) -> Any:
    return torch.load(folder / STATE_FILE, weights_only=True)


def assert_equal_states(one: Any, other: Any, place: str = "state") -> None:
    """Bit by bit."""
    if isinstance(one, torch.Tensor):
        assert torch.equal(one, other), place
    elif isinstance(one, dict):
        assert one.keys() == other.keys(), place
        for key in one:
            assert_equal_states(one[key], other[key], f"{place}.{key}")
    elif isinstance(one, list):
        for index, pair in enumerate(zip(one, other, strict=True)):
            assert_equal_states(*pair, f"{place}[{index}]")
    else:
        assert one == other, place
