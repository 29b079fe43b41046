"""One way to drive three trackers: say something about an object on a frame, track, look at what came out."""

from collections import OrderedDict
from collections.abc import Iterator
from types import ModuleType
from typing import Any, Protocol

import pytest
import torch
from torch import Tensor

Seen = dict[int, tuple[Tensor, Tensor]]  # frame -> low-resolution logits [objects, h, w], object scores [objects]


class Tracker(Protocol):
    def click(self, object_id: int, frame: int, points: Tensor, labels: Tensor) -> None: ...
    def mark(self, object_id: int, frame: int, mask: Tensor) -> None: ...
    def track(self, start: int, *, reverse: bool = False) -> Seen: ...


class Masklet:
    """All prompts are queued; boxes are labels 2 and 3."""

    def __init__(self, model: Any, video: Tensor, **options: Any) -> None:
        from masklet import Sam2VideoInferenceSession

        self.model = model
        self.session = Sam2VideoInferenceSession(video, **options)

    def click(self, object_id: int, frame: int, points: Tensor, labels: Tensor) -> None:
        self.session.add_points(object_id, frame, points, labels)

    def mark(self, object_id: int, frame: int, mask: Tensor) -> None:
        self.session.add_mask(object_id, frame, mask)

    def track(self, start: int, *, reverse: bool = False) -> Seen:
        outputs = self.model.propagate_in_video_iterator(self.session, start, reverse=reverse)
        return {out.frame_idx: (out.pred_masks[:, 0], out.object_score_logits[:, 0]) for out in outputs}


class Transformers:
    """Each prompt is followed by a forward pass on its frame, as its session needs."""

    def __init__(self, model: Any, video: Tensor) -> None:
        from transformers.models.sam2_video.modeling_sam2_video import Sam2VideoInferenceSession

        self.model = model
        self.session = Sam2VideoInferenceSession(video, *video.shape[-2:], dtype=torch.float32)

    def click(self, object_id: int, frame: int, points: Tensor, labels: Tensor) -> None:
        inputs = {"point_coords": points[None, None], "point_labels": labels[None, None]}
        self.session.add_point_inputs(self.session.obj_id_to_idx(object_id), frame, inputs)
        self._look(object_id, frame)

    def mark(self, object_id: int, frame: int, mask: Tensor) -> None:
        self.session.add_mask_inputs(self.session.obj_id_to_idx(object_id), frame, mask[None, None].float())
        self._look(object_id, frame)

    def _look(self, object_id: int, frame: int) -> None:
        self.session.obj_with_new_inputs = [object_id]
        self.model(self.session, frame_idx=frame)

    def track(self, start: int, *, reverse: bool = False) -> Seen:
        outputs = self.model.propagate_in_video_iterator(self.session, start, reverse=reverse)
        return {out.frame_idx: (out.pred_masks[:, 0], out.object_score_logits[:, 0]) for out in outputs}


class Meta:
    """Its predictor, on frames that are pixels already; frames that are corrected become conditioning frames."""

    def __init__(self, model: Any, video: Tensor) -> None:
        self.model = model
        model.add_all_frames_to_correct_as_cond = True
        size = video.shape[-1]
        self.state: dict[str, Any] = {
            "images": video, "num_frames": len(video), "video_height": size, "video_width": size, "obj_ids": [],
            "device": torch.device("cpu"), "storage_device": torch.device("cpu"),
            "obj_id_to_idx": OrderedDict(), "obj_idx_to_id": OrderedDict(),
        } | {
            name: {}
            for name in (
                "point_inputs_per_obj", "mask_inputs_per_obj", "cached_features", "constants", "output_dict_per_obj",
                "temp_output_dict_per_obj", "frames_tracked_per_obj",
            )
        }  # fmt: skip

    def click(self, object_id: int, frame: int, points: Tensor, labels: Tensor) -> None:
        self.model.add_new_points_or_box(self.state, frame, object_id, points, labels)

    def mark(self, object_id: int, frame: int, mask: Tensor) -> None:
        self.model.add_new_mask(self.state, frame, object_id, mask)

    def track(self, start: int, *, reverse: bool = False) -> Seen:
        frames = [frame for frame, *_ in self.model.propagate_in_video(self.state, start, reverse=reverse)]
        return {frame: self._seen(frame) for frame in frames}

    def _seen(self, frame: int) -> tuple[Tensor, Tensor]:
        kept = [
            (out["cond_frame_outputs"].get(frame) or out["non_cond_frame_outputs"][frame])
            for out in self.state["output_dict_per_obj"].values()
        ]
        return (
            torch.cat([each["pred_masks"][:, 0] for each in kept]),
            torch.cat([each["object_score_logits"][:, 0] for each in kept]),
        )


class _Torch:
    """torch, but for the type in which the references store memories."""

    def __init__(self, bfloat16: torch.dtype) -> None:
        self.bfloat16 = bfloat16

    def __getattr__(self, name: str) -> Any:
        return getattr(torch, name)


def store_memories_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let both references keep their memories as they compute them."""
    for module in _modules():
        monkeypatch.setattr(module, "torch", _Torch(bfloat16=torch.float32))


def _modules() -> Iterator[ModuleType]:
    import sam2.sam2_video_predictor
    import transformers.models.sam2_video.modeling_sam2_video

    yield sam2.sam2_video_predictor
    yield transformers.models.sam2_video.modeling_sam2_video
