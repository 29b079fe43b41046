"""The methods that open a session in a video and add prompts to it; both processors have them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import torch

from masklet.errors import InvalidInputError
from masklet.processing.sizes import height_and_width
from masklet.processing.video_frames import PreparedFrames, StackedFrames
from masklet.processing.video_prompts import Size, video_prompts

if TYPE_CHECKING:
    from masklet.tracking.session import Sam2VideoInferenceSession


class VideoSessions(ABC):
    """Opens sessions and adds prompts to them.

    Attributes:
        point_pad_value: coordinate that marks padding among points and boxes.
    """

    point_pad_value: int = -10

    @property
    @abstractmethod
    def _network_side(self) -> int:
        """Side of the network's square input, to which prompts are scaled."""

    @abstractmethod
    def _prepared_frames(self, video: Any, device: Any) -> PreparedFrames:
        """Return the frames of a video, prepared on a device (None: where each frame is) when they are asked for."""

    def video_frames(self, video: Any, device: torch.device | str | None = None) -> PreparedFrames | StackedFrames:
        """Return the frames of a video as a session takes them; arguments and errors as `init_video_session`."""
        is_prepared = hasattr(video, "keys") and "pixel_values_videos" in video
        return StackedFrames(video) if is_prepared else self._prepared_frames(video, device)

    def init_video_session(
        self,
        video: Any = None,
        inference_device: torch.device | str = "cpu",
        inference_state_device: torch.device | str | None = None,
        processing_device: torch.device | str | None = None,
        video_storage_device: torch.device | str | None = None,
        max_vision_features_cache_size: int = 1,
        dtype: torch.dtype | str | None = None,
        *,
        torch_dtype: torch.dtype | str | None = None,
        **bank: Any,
    ) -> Sam2VideoInferenceSession:
        """Open a session in which objects are followed through a video, or through a stream of frames.

        Args:
            video: a path of a video file or of a folder of frames, which are decoded when they are needed; a list of
                images, an array [T, H, W, C], a tensor [T, C, H, W] or an open reader; what `Sam2VideoProcessor`
                returned for one video; or None for a stream, whose frames are given to the model one by one.
            inference_device: where the model is.
            inference_state_device: where memories and cached features are kept; None: `inference_device`.
            processing_device: where frames are resized; None: where they are.
            video_storage_device: where the frames of a stream are kept; None: `inference_device`.
            max_vision_features_cache_size: of how many frames the features are kept.
            dtype: of frames and memories, as the model has it; None: float32.
            torch_dtype: the older spelling of `dtype`.
            **bank: options of `Sam2VideoInferenceSession` about what is kept of frames long past, such as `retention`.

        Raises:
            InvalidInputError: if the video has no frames or cannot be used.
            UnreadableVideoError: if a file cannot be read as a video.
        """
        from masklet.tracking.session import Sam2VideoInferenceSession  # images are segmented without it

        frames = None if video is None else self.video_frames(video, processing_device)
        return Sam2VideoInferenceSession(
            frames,
            None if frames is None else frames.height,
            None if frames is None else frames.width,
            inference_device=inference_device,
            inference_state_device=inference_state_device,
            video_storage_device=video_storage_device,
            torch_dtype=torch_dtype,
            dtype=dtype,
            max_vision_features_cache_size=max_vision_features_cache_size,
            **bank,
        )

    def add_inputs_to_inference_session(
        self,
        inference_session: Sam2VideoInferenceSession,
        frame_idx: int,
        obj_ids: Any,
        input_points: Any = None,
        input_labels: Any = None,
        input_boxes: Any = None,
        input_masks: Any = None,
        original_size: Any = None,
        clear_old_inputs: bool = True,
    ) -> None:
        """Add prompts for objects on a frame: clicks, a box, both, or a mask. The model computes when it runs.

        Any number of calls, about any frames, may come before the model does; nothing given is changed. A call that
        fails leaves the session as it was.

        Args:
            inference_session: the session.
            frame_idx: number of the frame; in a stream also that of the frame to come.
            obj_ids: the caller's name, a whole number, of the object, or a list of several; new ones are new objects.
            input_points: nested [1 image][object][point][x, y] in pixels of the video, ragged where they like.
            input_labels: nested [1 image][object][point]: 1 on the object, 0 off it; needed with points.
            input_boxes: nested [1 image][object][x1, y1, x2, y2]; (-10, -10, -10, -10) for an object without one.
            input_masks: one mask an object, alone; see `mask_prompts`. An empty one says that the object is absent.
            original_size: (height, width) of a stream's frames; needed once, before points or boxes.
            clear_old_inputs: replace the prompts of these objects on this frame; False adds clicks to them.

        Raises:
            InvalidInputError: if the prompts do not fit together, the objects, the frame or the video.
        """
        size = _video_size(inference_session, original_size)
        if input_boxes is not None and not clear_old_inputs:
            raise InvalidInputError(
                "A box begins a prompt and cannot be added to an earlier one; give it with clear_old_inputs=True."
            )
        prompts = video_prompts(
            obj_ids,
            input_points,
            input_labels,
            input_boxes,
            input_masks,
            size=size,
            target_size=self._network_side,
            padding=self.point_pad_value,
        )
        for object_id, prompt in prompts.items():
            inference_session.add_prompt(object_id, frame_idx, prompt, clear_old=clear_old_inputs)
        if size is not None:
            inference_session.video_height, inference_session.video_width = size

    def process_new_points_or_boxes_for_video_frame(
        self,
        inference_session: Sam2VideoInferenceSession,
        frame_idx: int,
        obj_ids: Any,
        input_points: Any = None,
        input_labels: Any = None,
        input_boxes: Any = None,
        original_size: Any = None,
        clear_old_inputs: bool = True,
    ) -> None:
        """Add clicks and boxes for objects on a frame; see `add_inputs_to_inference_session`."""
        self.add_inputs_to_inference_session(
            inference_session,
            frame_idx,
            obj_ids,
            input_points,
            input_labels,
            input_boxes,
            original_size=original_size,
            clear_old_inputs=clear_old_inputs,
        )

    def process_new_mask_for_video_frame(
        self, inference_session: Sam2VideoInferenceSession, frame_idx: int, obj_ids: Any, input_masks: Any
    ) -> None:
        """Add masks for objects on a frame; see `add_inputs_to_inference_session`."""
        self.add_inputs_to_inference_session(inference_session, frame_idx, obj_ids, input_masks=input_masks)


def _video_size(session: Sam2VideoInferenceSession, original_size: Any) -> Size | None:
    """(height, width) in which prompts count their pixels; InvalidInputError if the session has another one."""
    known = (session.video_height, session.video_width)
    if original_size is None:
        return None if known[0] is None or known[1] is None else (int(known[0]), int(known[1]))
    given = height_and_width(original_size, "original_size")
    size = (given["height"], given["width"])
    if known[0] is not None and known != size:
        raise InvalidInputError(
            f"original_size is {size}, but the frames of this session are {known} (height, width); all must be of one "
            "size."
        )
    return size
