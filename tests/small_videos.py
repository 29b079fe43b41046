"""A whole SAM 2 for videos that runs in milliseconds, with random weights in every tensor; and a clip to run it on."""

import numpy as np
import torch
from tests.unit.modeling.small_models import randomised
from tests.unit.modeling.test_video_network import SIZE, video_config

from masklet.tracking.video_model import Sam2VideoModel

HEIGHT, WIDTH = 40, 60
__all__ = ["HEIGHT", "SIZE", "WIDTH", "small_clip", "small_video_model"]


def small_video_model(seed: int = 0, **fields: object) -> Sam2VideoModel:
    """A model for inputs of SIZE x SIZE, if the fields of its configuration say nothing else."""
    torch.manual_seed(seed)
    model: Sam2VideoModel = randomised(Sam2VideoModel(video_config(**fields)), seed)
    return model


def small_clip(frames: int = 6, seed: int = 0) -> np.ndarray:
    """uint8 [frames, HEIGHT, WIDTH, 3]: noise that drifts to the right, so that every frame is another one."""
    noise = np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    return np.stack([np.roll(noise, 3 * frame, axis=1) for frame in range(frames)])
