"""The three implementations behind one surface for video: objects clicked on the first frame, then frame by frame.

Every opponent gets the same normalised pixels and works as its own users have it: through its session or state.
"""

import json
import tempfile
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from benchmarks.opponents import CONFIGURATION, FOLDER, META_CHECKPOINT

VIDEO_HEIGHT, VIDEO_WIDTH = 480, 854  # the size that masks would be drawn at


class VideoOpponent(ABC):
    """One implementation with its weights in memory, and at most one video in work."""

    name: str
    frame: int

    def open(self, pixels: Tensor, points: Tensor) -> None:
        """Begin a video [frames, 3, S, S] with one click for each object on its first frame, [objects, 2] in pixels."""
        self.frame = 0
        self._open(pixels, points)

    def next_frame(self) -> list[Tensor]:
        """Track all objects onto the next frame (the first call: answer the clicks): logits [objects, S/4, S/4].

        They are cut to -32..32: beside the -1024 of an absent object every difference would look small.
        """
        logits = self._track(self.frame)
        self.frame += 1
        return [logits.float().clamp(-32, 32)]

    @abstractmethod
    def _open(self, pixels: Tensor, points: Tensor) -> None: ...

    @abstractmethod
    def _track(self, frame: int) -> Tensor: ...


class Masklet(VideoOpponent):
    """This package through its public API."""

    name = "masklet"
    dtype = torch.float32

    def __init__(self, weights: Path) -> None:
        from masklet import Sam2VideoModel

        self.model: Any = Sam2VideoModel.from_pretrained(weights / FOLDER, dtype=self.dtype)

    def _open(self, pixels: Tensor, points: Tensor) -> None:
        from masklet import Sam2VideoInferenceSession

        self.session = Sam2VideoInferenceSession(pixels, VIDEO_HEIGHT, VIDEO_WIDTH, dtype=self.dtype)
        for number, point in enumerate(points, start=1):
            self.session.add_points(number, 0, point[None], [1])

    def _track(self, frame: int) -> Tensor:
        return self.model(self.session, frame_idx=frame).pred_masks[:, 0]


class MaskletInHalfPrecision(Masklet):
    """The same with everything in bfloat16."""

    name = "masklet bfloat16"
    dtype = torch.bfloat16


class Transformers(VideoOpponent):
    """transformers' `Sam2VideoModel`; its processor needs torchvision, so prompts go straight into its session."""

    name = "transformers"

    def __init__(self, weights: Path) -> None:
        from transformers.models.sam2_video.modeling_sam2_video import Sam2VideoModel

        self.model: Any = Sam2VideoModel.from_pretrained(weights / FOLDER).eval()

    def _open(self, pixels: Tensor, points: Tensor) -> None:
        from transformers.models.sam2_video.modeling_sam2_video import Sam2VideoInferenceSession

        self.session: Any = Sam2VideoInferenceSession(
            video=pixels, video_height=VIDEO_HEIGHT, video_width=VIDEO_WIDTH, dtype=torch.float32
        )
        for number, point in enumerate(points, start=1):
            index = self.session.obj_id_to_idx(number)
            click = {"point_coords": point.view(1, 1, 1, 2), "point_labels": torch.ones(1, 1, 1, dtype=torch.int32)}
            self.session.add_point_inputs(index, 0, click)
            self.session.obj_with_new_inputs.append(number)

    def _track(self, frame: int) -> Tensor:
        return self.model(inference_session=self.session, frame_idx=frame).pred_masks[:, 0]


class Meta(VideoOpponent):
    """Meta's video predictor, assembled as its released configuration does."""

    name = "meta"

    def __init__(self, weights: Path) -> None:
        from benchmarks.references.meta_sam2_video import build_meta_video_model

        configuration = json.loads((weights / CONFIGURATION).read_text())
        state = torch.load(weights / META_CHECKPOINT, map_location="cpu", weights_only=True)["model"]
        self.model = build_meta_video_model(configuration, state)

    def _open(self, pixels: Tensor, points: Tensor) -> None:
        with tempfile.TemporaryDirectory() as folder:  # it reads JPEG files; its own pixels are then replaced
            for number in range(len(pixels)):
                Image.new("RGB", (VIDEO_WIDTH, VIDEO_HEIGHT)).save(Path(folder) / f"{number}.jpg")
            self.state: Any = self.model.init_state(folder)
        self.state["images"] = pixels
        self.state["cached_features"].clear()
        scale = torch.tensor([VIDEO_WIDTH, VIDEO_HEIGHT]) / self.model.image_size
        for number, point in enumerate(points, start=1):
            self.model.add_new_points_or_box(self.state, 0, number, points=point[None] * scale, labels=torch.ones(1))

    def _track(self, frame: int) -> Tensor:
        for _ in self.model.propagate_in_video(self.state, start_frame_idx=frame, max_frame_num_to_track=0):
            pass
        kind = "cond_frame_outputs" if frame == 0 else "non_cond_frame_outputs"
        outputs = self.state["output_dict_per_obj"].values()
        return torch.cat([of_object[kind][frame]["pred_masks"][:, 0] for of_object in outputs])


VIDEO_OPPONENTS: dict[str, type[VideoOpponent]] = {
    opponent.name: opponent for opponent in (Masklet, Transformers, Meta, MaskletInHalfPrecision)
}
