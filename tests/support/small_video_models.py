"""A whole SAM 2 for videos that runs in milliseconds, with random weights in every tensor; and a clip to run it on."""

import numpy as np
import torch
from tests.support.small_models import randomised, small_config

from masklet import Sam2Config
from masklet.tracking.video_model import Sam2VideoModel

HEIGHT, WIDTH = 40, 60
SIZE = 96


def video_config(**fields: object) -> Sam2Config:
    """Pointers of two tokens: the memory is half as wide as the features."""
    memory = {
        "memory_attention_hidden_size": 64,
        "memory_attention_num_layers": 2,
        "memory_attention_feed_forward_hidden_size": 48,
        "memory_encoder_hidden_size": 64,
        "memory_encoder_output_channels": 32,
        "mask_downsampler_embed_dim": 64,
        "memory_fuser_embed_dim": 64,
        "memory_fuser_intermediate_dim": 40,
    }
    return small_config(**{"image_size": SIZE, **memory, **fields})


def small_video_model(seed: int = 0, **fields: object) -> Sam2VideoModel:
    """A model for inputs of SIZE x SIZE, if the fields of its configuration say nothing else."""
    torch.manual_seed(seed)
    model: Sam2VideoModel = randomised(Sam2VideoModel(video_config(**fields)), seed)
    return model


def small_clip(frames: int = 6, seed: int = 0) -> np.ndarray:
    """uint8 [frames, HEIGHT, WIDTH, 3]: noise that drifts to the right, so that every frame is another one."""
    noise = np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    return np.stack([np.roll(noise, 3 * frame, axis=1) for frame in range(frames)])
