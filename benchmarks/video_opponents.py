"""The three implementations behind one surface for video: objects clicked on the first frame, then frame by frame.

Every opponent gets the same normalised pixels and works as its own users have it: through its session or state. Where
parts are compiled, they are those of a constant shape once the bank is full, whatever the objects and their clicks.
"""

import json
import tempfile
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from benchmarks.opponents import CONFIGURATION, FOLDER, META_CHECKPOINT

VIDEO_HEIGHT, VIDEO_WIDTH = 480, 854  # the size that masks would be drawn at


@dataclass(frozen=True)
class Setup:
    """What the opponents run on: a device, a floating-point type, and torch's compiler if `backend` names one."""

    device: str = "cpu"
    dtype: torch.dtype = torch.float32
    backend: str | None = None

    def compile(self, *parts: nn.Module) -> None:
        """Compile parts of a model in place, if that is wanted."""
        for part in parts if self.backend else ():
            part.compile(backend=self.backend)


class VideoOpponent(ABC):
    """One implementation with its weights in memory, and at most one video in work."""

    name: str
    frame: int

    def __init__(self, weights: Path, setup: Setup) -> None:
        self.setup = setup
        self._load(weights)

    def open(self, pixels: Tensor, points: Tensor) -> None:
        """Begin a video [frames, 3, S, S] with one click for each object on its first frame, [objects, 2] in pixels."""
        self.frame = 0
        self._open(pixels, points)

    def next_frame(self) -> list[Tensor]:
        """Track all objects onto the next frame (the first call: answer the clicks): logits [objects, S/4, S/4].

        They are cut to -32..32: beside the -1024 of an absent object every difference would look small. A device has
        done its work when they are back.
        """
        logits = self._track(self.frame)
        self.frame += 1
        return [logits.float().clamp(-32, 32).cpu()]

    @abstractmethod
    def _load(self, weights: Path) -> None: ...

    @abstractmethod
    def _open(self, pixels: Tensor, points: Tensor) -> None: ...

    @abstractmethod
    def _track(self, frame: int) -> Tensor: ...


class Masklet(VideoOpponent):
    """This package through its public API."""

    name = "masklet"
    preset = "exact"

    def _load(self, weights: Path) -> None:
        from masklet import VideoTracker

        tracker = VideoTracker.from_pretrained(weights / FOLDER, preset=self.preset, **self._options())
        self.model: Any = tracker.model
        if self.setup.backend:
            self.model.compile_parts(self.setup.backend)

    def _options(self) -> dict[str, Any]:
        return {"device": self.setup.device, "dtype": self.setup.dtype}

    def _open(self, pixels: Tensor, points: Tensor) -> None:
        from masklet import Sam2VideoInferenceSession

        self.logits_size, size = pixels.shape[-1] // 4, self.model.config.image_size
        scale = size / pixels.shape[-1]
        frames = F.interpolate(pixels, (size, size), mode="bilinear", antialias=True)
        self.session = Sam2VideoInferenceSession(
            frames.to(self.setup.device),
            VIDEO_HEIGHT,
            VIDEO_WIDTH,
            inference_device=self.setup.device,
            dtype=self.model.dtype,
        )
        for number, point in enumerate(points, start=1):
            self.session.add_points(number, 0, point[None] * scale, [1])

    def _track(self, frame: int) -> Tensor:
        from masklet.tracking.propagation import segment_frame

        logits = segment_frame(self.model, self.session, frame).pred_masks
        if logits.shape[-1] != self.logits_size:  # to compare with the other opponents
            logits = F.interpolate(logits.float(), (self.logits_size, self.logits_size), mode="bilinear")
        return logits[:, 0]


class MaskletFast(Masklet):
    """The same with the preset that trades accuracy for speed, in the type that it chooses."""

    name = "masklet (fast)"
    preset = "fast"

    def _options(self) -> dict[str, Any]:
        return {"device": self.setup.device}


class MaskletInHalfPrecision(Masklet):
    """The same with everything in bfloat16."""

    name = "masklet bfloat16"

    def _options(self) -> dict[str, Any]:
        return {"device": self.setup.device, "dtype": torch.bfloat16}


class Transformers(VideoOpponent):
    """transformers' `Sam2VideoModel`; its processor needs torchvision, so prompts go straight into its session."""

    name = "transformers"

    def _load(self, weights: Path) -> None:
        from transformers.models.sam2_video.modeling_sam2_video import Sam2VideoModel

        model: Any = Sam2VideoModel.from_pretrained(weights / FOLDER, dtype=self.setup.dtype)
        self.model: Any = model.eval().to(self.setup.device)
        self.setup.compile(model.vision_encoder, model.memory_attention, model.mask_decoder, model.memory_encoder)

    def _open(self, pixels: Tensor, points: Tensor) -> None:
        from transformers.models.sam2_video.modeling_sam2_video import Sam2VideoInferenceSession

        self.session: Any = Sam2VideoInferenceSession(
            video=pixels.to(self.setup.device, self.setup.dtype),
            video_height=VIDEO_HEIGHT,
            video_width=VIDEO_WIDTH,
            inference_device=self.setup.device,
            dtype=self.setup.dtype,
        )
        for number, point in enumerate(points, start=1):
            index = self.session.obj_id_to_idx(number)
            click = {"point_coords": point.view(1, 1, 1, 2), "point_labels": torch.ones(1, 1, 1, dtype=torch.int32)}
            self.session.add_point_inputs(index, 0, click)
            self.session.obj_with_new_inputs.append(number)

    def _track(self, frame: int) -> Tensor:
        return self.model(inference_session=self.session, frame_idx=frame).pred_masks[:, 0]


class Meta(VideoOpponent):
    """Meta's video predictor, assembled as its released configuration does; compiled, the one it has for that."""

    name = "meta"

    def _load(self, weights: Path) -> None:
        from benchmarks.references.meta_sam2_video import build_meta_video_model

        configuration = json.loads((weights / CONFIGURATION).read_text())
        state = torch.load(weights / META_CHECKPOINT, map_location="cpu", weights_only=True)["model"]
        is_compiled = self.setup.backend is not None
        self.model = build_meta_video_model(configuration, state, is_compiled=is_compiled).to(self.setup.device)

    def _autocast(self) -> torch.autocast:
        """Half precision as Meta's examples have it."""
        is_half = self.setup.dtype != torch.float32
        return torch.autocast(self.setup.device, self.setup.dtype if is_half else None, enabled=is_half)

    def _open(self, pixels: Tensor, points: Tensor) -> None:
        with tempfile.TemporaryDirectory() as folder:  # it reads JPEG files; its own pixels are then replaced
            for number in range(len(pixels)):
                Image.new("RGB", (VIDEO_WIDTH, VIDEO_HEIGHT)).save(Path(folder) / f"{number}.jpg")
            self.state: Any = self.model.init_state(folder)
        self.state["images"] = pixels.to(self.setup.device)
        self.state["cached_features"].clear()
        scale = torch.tensor([VIDEO_WIDTH, VIDEO_HEIGHT]) / self.model.image_size
        with self._autocast():
            for number, point in enumerate(points, start=1):
                click = {"points": point[None] * scale, "labels": torch.ones(1)}
                self.model.add_new_points_or_box(self.state, 0, number, **click)

    def _track(self, frame: int) -> Tensor:
        with self._autocast():
            for _ in self.model.propagate_in_video(self.state, start_frame_idx=frame, max_frame_num_to_track=0):
                pass
        kind = "cond_frame_outputs" if frame == 0 else "non_cond_frame_outputs"
        outputs = self.state["output_dict_per_obj"].values()
        return torch.cat([of_object[kind][frame]["pred_masks"][:, 0] for of_object in outputs])


VIDEO_OPPONENTS: dict[str, type[VideoOpponent]] = {
    opponent.name: opponent for opponent in (Masklet, MaskletFast, Transformers, Meta, MaskletInHalfPrecision)
}
