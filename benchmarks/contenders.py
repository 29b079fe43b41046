"""What `benchmarks.runtimes` compares: masklet in all ways that are installed, the references in two precisions."""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.opponents import FOLDER
from benchmarks.reference_graphs import REFERENCES, ReferenceEncoder
from benchmarks.video_opponents import VIDEO_OPPONENTS, Masklet, Setup, VideoOpponent
from masklet.devices import is_bfloat16_faster

EXPORTED = "exported"
OF_FOLDERS = ("onnxruntime", "openvino")
LANES = ("masklet", "compiled", *REFERENCES, *OF_FOLDERS)


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


class MissingContenderError(Exception):
    """What a lane is measured for does not run here."""


@dataclass(frozen=True)
class Contender:
    """One way to run a model: its name, and what encodes images, decodes clicks and tracks.

    The references' own graphs are of the encoder alone: `video` is None, and `image` does not decode.
    """

    name: str
    image: Any
    video: VideoOpponent | None


def contenders(weights: Path, lane: str) -> Iterator[Contender]:
    """Yield what can be run here of a lane with these weights, behind masklet in eager, which all are compared with.

    What rounds to bfloat16 is left out where that is slower, and the encoder of a reference that cannot be a graph.

    Raises:
        MissingContenderError: if there are no graphs of masklet for a lane of them, or its reference does not run.
    """
    may_round = is_bfloat16_faster("cpu")
    if lane in OF_FOLDERS and not (weights / EXPORTED).is_dir():
        raise MissingContenderError(f"masklet's graphs are not in {weights / EXPORTED}")
    for runtime, preset in (("eager", "exact"), *_ways(lane)):
        if preset == "balanced" and not may_round:
            continue  # which would be `exact` once more
        way = MaskletWay(weights, preset, runtime)
        yield Contender(way.name, way, way)
    if lane in REFERENCES:
        for dtype in (torch.float32, torch.bfloat16) if may_round else (torch.float32,):
            name = lane if dtype == torch.float32 else f"{lane} bfloat16"
            yield _made(name, partial(_reference, weights, lane, dtype, name))
    if lane in OF_FOLDERS:
        for name in REFERENCES:
            for precision in ("f32", "bf16") if lane == "openvino" and may_round else ("f32",):
                own = f"{name}'s encoder in {lane}{', bfloat16' * (precision == 'bf16')}"
                yield from _if_it_runs(own, partial(_reference_encoder, weights, name, lane, precision, own))


def _ways(lane: str) -> Sequence[tuple[str, str]]:
    """The runtimes and presets of a lane."""
    if lane in REFERENCES:
        return (("eager", "balanced"),)  # beside the reference in bfloat16
    return {
        "masklet": (("eager", "balanced"), ("eager", "fast")),
        "compiled": (("compiled", "exact"),),
        "onnxruntime": (("onnxruntime", "exact"),),
        "openvino": (("openvino", "exact"), ("openvino", "balanced")),
    }.get(lane, ())


def _if_it_runs(name: str, make: Callable[[], Contender]) -> list[Contender]:
    try:
        return [_made(name, make)]
    except MissingContenderError as error:
        print(error, file=sys.stderr)
        return []


def _made(name: str, make: Callable[[], Contender]) -> Contender:
    try:
        return make()
    except Exception as error:  # the references are made for the released configurations, and fail in any way
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise MissingContenderError(f"{name} does not run this model: {reason}") from error


def _reference(weights: Path, reference: str, dtype: torch.dtype, name: str) -> Contender:
    image, video = REFERENCES[reference](weights, dtype), VIDEO_OPPONENTS[reference](weights, Setup(dtype=dtype))
    image.encode(torch.zeros(1, 3, image.image_size, image.image_size))
    return Contender(name, image, video)


def _reference_encoder(weights: Path, reference: str, runtime: str, precision: str, name: str) -> Contender:
    return Contender(name, ReferenceEncoder(weights, reference, runtime, precision), None)
