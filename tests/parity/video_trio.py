"""One video network, three implementations: masklet, transformers and Meta's sam2 with equal random weights."""

from dataclasses import dataclass
from typing import Any

import pytest
import torch
from tests.parity.conftest import INSTALL
from torch import nn


@dataclass(frozen=True)
class VideoTrio:
    """The same weights three times, with the features of one random frame.

    `levels` are what masklet's `encode_image` gives.
    """

    configuration: dict[str, Any]
    masklet: Any
    transformers: Any
    meta: Any
    levels: Any

    @property
    def side(self) -> int:
        """Tokens along one side of the deepest level."""
        return int(self.levels[2].shape[-1])


def build_video_trio(configuration: dict[str, Any], network: type[nn.Module], seed: int = 0) -> VideoTrio:
    """`network` is the masklet class to build: the bare network or the tracking model."""
    pytest.importorskip("transformers", reason=INSTALL)
    pytest.importorskip("sam2", reason=INSTALL)
    from benchmarks.references.meta_sam2 import meta_state_dict
    from benchmarks.references.meta_sam2_video import build_meta_video_model
    from benchmarks.references.random_weights import randomise
    from benchmarks.references.transformers_sam2 import build_transformers_video_model

    from masklet import Sam2Config

    transformers_model = randomise(build_transformers_video_model(configuration), seed)
    state = transformers_model.state_dict()
    masklet_model: Any = network(Sam2Config.from_dict(configuration)).eval()
    masklet_model.load_state_dict(state)
    meta_model = build_meta_video_model(configuration, meta_state_dict(state))
    size = configuration["image_size"]
    pixels = torch.randn(1, 3, size, size, generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        levels = masklet_model.encode_image(pixels)
    return VideoTrio(configuration, masklet_model, transformers_model, meta_model, levels)
