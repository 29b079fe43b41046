"""A tracker that runs in milliseconds, and a noisy video for it."""

from functools import cache
from typing import Any

import torch
from tests.support.small_video_models import small_video_model
from torch import Tensor

from masklet import Sam2VideoInferenceSession, Sam2VideoModel
from masklet.tracking.frames import FeatureCache

SIZE, FRAMES = 64, 14
HEIGHT, WIDTH = 30, 50
# Less of everything than released models have, so that little has to be tracked until memory is full.
REACH = {"num_maskmem": 3, "max_object_pointers_in_encoder": 4}


@cache
def model() -> Sam2VideoModel:
    """Objects come and go: most random weights would say that they are never there."""
    network = small_video_model(image_size=SIZE, **REACH)
    network.mask_decoder.pred_obj_score_head.proj_out.bias.data += 0.115
    return network


@cache
def video(frames: int = FRAMES, seed: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    still = torch.randn(1, 3, SIZE, SIZE, generator=generator)
    return still + torch.randn(frames, 3, SIZE, SIZE, generator=generator)


@cache
def features() -> FeatureCache:
    """The features of the whole video, computed once for all tests."""
    return FeatureCache(FRAMES)


def new_session(**options: Any) -> Sam2VideoInferenceSession:
    session = Sam2VideoInferenceSession(video(), HEIGHT, WIDTH, **options)
    session.frames.cache = features()
    return session


def tracked(session: Sam2VideoInferenceSession, start: int | None = None, **options: Any) -> dict[int, Tensor]:
    """Logits [objects, h, w] of each frame."""
    outputs = model().propagate_in_video_iterator(session, start, **options)
    return {output.frame_idx: output.pred_masks[:, 0] for output in outputs}


def same(one: dict[int, Tensor], other: dict[int, Tensor], tolerance: float = 0.0) -> bool:
    return list(one) == list(other) and all(
        torch.allclose(one[frame], other[frame], rtol=tolerance, atol=tolerance) for frame in one
    )
