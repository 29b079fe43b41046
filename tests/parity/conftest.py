"""One network, three implementations: masklet, transformers and Meta's sam2 with equal random weights."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the builders live in `benchmarks`, beside the package

INSTALL = "the reference implementations are not installed (make test installs them)"


@dataclass(frozen=True)
class Trio:
    """The same weights three times; `pixels` are two images of the configuration's size."""

    configuration: dict[str, Any]
    masklet: nn.Module
    transformers: nn.Module
    meta: Any
    pixels: Tensor

    @property
    def image_size(self) -> int:
        return int(self.configuration["prompt_encoder_config"]["image_size"])


def build_trio(configuration: dict[str, Any], seed: int = 0) -> Trio:
    pytest.importorskip("transformers", reason=INSTALL)
    pytest.importorskip("sam2", reason=INSTALL)
    from benchmarks.references.meta_sam2 import build_meta_model, meta_state_dict
    from benchmarks.references.random_weights import randomise
    from benchmarks.references.transformers_sam2 import build_transformers_model

    from masklet import Sam2Config, Sam2Model

    transformers_model = randomise(build_transformers_model(configuration), seed)
    state = transformers_model.state_dict()
    masklet_model = Sam2Model(Sam2Config.from_dict(configuration)).eval()
    masklet_model.load_state_dict(state)
    meta_model = build_meta_model(configuration, meta_state_dict(state))
    size = configuration["prompt_encoder_config"]["image_size"]
    pixels = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(seed))
    return Trio(configuration, masklet_model, transformers_model, meta_model, pixels)


@pytest.fixture(scope="session")
def trio_of() -> Callable[[str, int], Trio]:
    """`trio_of(configuration name, image size)`, each pair built once a session."""
    from benchmarks.references import configurations

    @cache
    def build(name: str, image_size: int) -> Trio:
        return build_trio(getattr(configurations, name)(image_size))

    return build


@pytest.fixture(scope="session")
def small(trio_of: Callable[[str, int], Trio]) -> Trio:
    return trio_of("small", 128)


@pytest.fixture(autouse=True)
def _without_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield
