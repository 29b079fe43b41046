"""What `benchmarks.runtimes` compares: masklet in all ways that are installed, the references in two precisions."""

import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.opponents import FOLDER, Meta, Transformers
from benchmarks.video_opponents import VIDEO_OPPONENTS, Masklet, Setup, VideoOpponent

EXPORTED = "exported"
REFERENCES = {"transformers": Transformers, "meta": Meta}


class MaskletWay(Masklet):
    """This package by one runtime and one preset, for images as well as for videos."""

    def __init__(self, weights: Path, preset: str, runtime: str) -> None:
        self.name = f"masklet {runtime}, {preset}"
        self.preset, self.runtime = preset, runtime
        super().__init__(weights, Setup())

    def _load(self, weights: Path) -> None:
        from masklet import VideoTracker

        source = weights / (FOLDER if self.runtime in ("eager", "compiled") else EXPORTED)
        self.model = VideoTracker.from_pretrained(source, preset=self.preset, runtime=self.runtime).model

    def encode(self, pixels: Tensor) -> list[Tensor]:
        """Pixels (1, 3, S, S) to the three levels that the decoder reads."""
        size = self.model.config.image_size
        if pixels.shape[-1] != size:
            pixels = F.interpolate(pixels, (size, size), mode="bilinear", antialias=True)
        return list(self.model.without_memory(self.model.encode_image(pixels.to(self.model.dtype))))

    def decode(self, embeddings: list[Tensor], points: Tensor) -> tuple[Tensor, Tensor]:
        """One positive click for each object, (P, 2) in pixels of S: logits (P, 3, S/4, S/4), IoU scores (P, 3)."""
        from masklet.modeling.values import ImageFeatures

        features = ImageFeatures(*embeddings)
        labels = torch.ones(len(points), 1, dtype=torch.int64)
        decoded = self.model.decode(features, points[:, None], labels)
        return decoded.logits[:, 1:], decoded.iou[:, 1:]


@dataclass(frozen=True)
class Contender:
    """One way to run a model: its name, and what encodes images, decodes clicks and tracks."""

    name: str
    image: Any
    video: VideoOpponent


def contenders(weights: Path) -> Iterator[Contender]:
    """Yield what can be run here with these weights; the first one is what the others are compared with."""
    for runtime, preset in _ways(weights):
        way = MaskletWay(weights, preset, runtime)
        yield Contender(way.name, way, way)
    for setup in (Setup(), Setup(dtype=torch.bfloat16)):
        for name, image in REFERENCES.items():
            suffix = "" if setup.dtype == torch.float32 else " bfloat16"
            try:
                found = Contender(name + suffix, image(weights, setup.dtype), VIDEO_OPPONENTS[name](weights, setup))
                found.image.encode(torch.zeros(1, 3, found.image.image_size, found.image.image_size))
            except Exception as error:  # they are made for the released configurations, and fail in any way
                print(f"{name}{suffix} does not run this model: {str(error).splitlines()[0]}", file=sys.stderr)
            else:
                yield found


def _ways(weights: Path) -> Iterator[tuple[str, str]]:
    """Runtimes with presets; graphs are run where `masklet export` wrote them beside the weights."""
    yield from (("eager", "exact"), ("eager", "balanced"), ("eager", "fast"), ("compiled", "exact"))
    if (weights / EXPORTED).is_dir():
        yield from (("onnxruntime", "exact"),) if importlib.util.find_spec("onnxruntime") else ()
        yield from (("openvino", "exact"), ("openvino", "balanced")) if importlib.util.find_spec("openvino") else ()
