"""A video, the objects in it, their prompts and their memories."""

from collections.abc import Collection, Sequence
from typing import Any

import torch
from torch import Tensor

from masklet.devices import Device, as_device, as_dtype
from masklet.errors import InvalidInputError
from masklet.json_files import LARGEST, shown
from masklet.masks.views import View
from masklet.prompts.prompt import Prompt
from masklet.tracking.compaction import compacted
from masklet.tracking.frame_prompt import clicks_and_box, whole_mask
from masklet.tracking.frames import FeatureCache, Frames, FrameSource, Seen, ZoomableFrames
from masklet.tracking.memory_bank import FrameResult, MemoryBank
from masklet.tracking.retention import RetentionChoice, archives_of
from masklet.tracking.tracked_object import TrackedObject
from masklet.transfers import sent
from masklet.whole_numbers import as_whole_number


class SessionState:
    """What tracking reads and writes: frames, objects, their prompts and memories. It knows no file format.

    Arguments as of `Sam2VideoInferenceSession`.
    """

    def __init__(
        self,
        video: Frames | None = None,
        video_height: int | None = None,
        video_width: int | None = None,
        inference_device: Device = "cpu",
        inference_state_device: Device | None = None,
        video_storage_device: Device | None = None,
        torch_dtype: torch.dtype | str | None = None,
        max_vision_features_cache_size: int = 1,
        *,
        dtype: torch.dtype | str | None = None,
        retention: RetentionChoice = "window",
        max_stream_frames: int = 8,
        max_results: int = 10_000,
        zoom: bool = False,
    ) -> None:
        if zoom and video is not None and not isinstance(video, ZoomableFrames):
            raise InvalidInputError("Frames that were prepared before cannot be enlarged; give the video to zoom in.")
        _check_at_least(1, max_stream_frames=max_stream_frames)
        _check_at_least(0, max_vision_features_cache_size=max_vision_features_cache_size, max_results=max_results)
        self.frames = FrameSource(video, most_streamed=max_stream_frames, most_features=max_vision_features_cache_size)
        self.video_height = None if video_height is None else int(video_height)
        self.video_width = None if video_width is None else int(video_width)
        self.inference_device = as_device(inference_device)
        self.inference_state_device = as_device(inference_state_device or inference_device)
        self.video_storage_device = as_device(video_storage_device or inference_device)
        self.dtype = as_dtype(dtype, torch_dtype) or torch.float32
        self.max_results = max_results
        self.zoom = zoom
        self.retention = retention
        self._archives = archives_of(retention)
        self._objects: dict[int, TrackedObject] = {}

    # -- frames ---------------------------------------------------------------------------------------------------

    @property
    def is_stream(self) -> bool:
        """Whether frames are pushed one at a time."""
        return self.frames.is_stream

    @property
    def num_frames(self) -> int:
        """How many frames the video has, or the stream had so far."""
        return len(self.frames)

    def add_new_frame(self, pixel_values: Tensor, frame_idx: int | None = None, *, seen: Seen | None = None) -> int:
        """Take the next frame of a stream, [3, S, S] or [1, 3, S, S], and return its number.

        `seen` returns what a view of it shows, enlarged to [3, S, S], for a session that zooms in on small objects.
        """
        return self.frames.add(sent(pixel_values, self.video_storage_device), frame_idx, seen)

    def get_frame(self, frame_idx: int) -> Tensor:
        """Return the pixels [3, S, S] of a frame; `InvalidInputError` if there is none, or not any more."""
        return self.frames[frame_idx]

    # -- objects --------------------------------------------------------------------------------------------------

    @property
    def obj_ids(self) -> list[int]:
        """The objects' ids, in the order in which they were added."""
        return list(self._objects)

    @property
    def obj_with_new_inputs(self) -> list[int]:
        """The ids of the objects with prompts that the network has not seen yet."""
        return [each.object_id for each in self._objects.values() if each.pending_frames()]

    @obj_with_new_inputs.setter
    def obj_with_new_inputs(self, object_ids: Sequence[int]) -> None:
        # Programs announce here what they prompted, which the session knows from the prompts.
        for object_id in object_ids:
            self._known(object_id)

    @property
    def cache(self) -> FeatureCache:
        """The image features of the frames used last."""
        return self.frames.cache

    def objects(self, object_ids: Collection[int] | None = None) -> Sequence[TrackedObject]:
        """Return the objects, or those with these ids, in the order of `obj_ids`."""
        if object_ids is None:
            return tuple(self._objects.values())
        known = {object_id: self._known(object_id) for object_id in object_ids}
        return tuple(each for object_id, each in self._objects.items() if object_id in known)

    def get_obj_num(self) -> int:
        """How many objects there are."""
        return len(self._objects)

    def obj_id_to_idx(self, obj_id: int) -> int:
        """Return the position of an object in `obj_ids` and in every output; an unknown one is added, unprompted."""
        obj_id = as_whole_number(obj_id, "The object id")
        if obj_id not in self._objects:
            self.keep(self.new_object(obj_id))
        return self.obj_ids.index(obj_id)

    def obj_idx_to_id(self, obj_idx: int) -> int:
        """Return the id of the object at a position."""
        return self.obj_ids[obj_idx]

    def new_object(self, object_id: int) -> TrackedObject:
        """Make an object that is not in the session yet: see `keep`."""
        return TrackedObject(object_id, MemoryBank(self._archives.new() if self._archives else None))

    def keep(self, target: TrackedObject) -> None:
        """Take an object into the session."""
        self._objects[target.object_id] = target

    def remove_object(self, object_id: int) -> None:
        """Remove an object; the others stay as they are."""
        self._known(object_id).bank.clear()
        del self._objects[object_id]

    def _known(self, object_id: int) -> TrackedObject:
        if object_id not in self._objects:
            raise InvalidInputError(f"There is no object {shown(object_id)}; the objects are {self.obj_ids}.")
        return self._objects[object_id]

    def reset(self) -> None:
        """Remove all objects; the frames stay."""
        for object_id in self.obj_ids:
            self.remove_object(object_id)

    reset_tracking_data = reset

    def reset_inference_session(self) -> None:
        """Remove all objects and all image features; the frames stay."""
        self.reset()
        self.frames.cache.clear()

    # -- prompts --------------------------------------------------------------------------------------------------

    def add_points(
        self,
        object_id: int,
        frame: int,
        points: Any = None,
        labels: Any = None,
        box: Any = None,
        clear_old: bool = True,
    ) -> None:
        """Add clicks, a box or both as the prompt of an object on a frame; it is queued until the network runs next.

        object_id: any integer of 64 bits; a new one adds an object.
        frame: of a stream one that is still there, or the next one to come.
        points [n, 2] (x, y), labels [n] (1 on the object, 0 off it), box (x1, y1, x2, y2): pixels of the network's
            input. -10 is padding and left out.
        clear_old: replace the prompts of the object on this frame. Otherwise the clicks are added, and refine a
            mask prompt. Clicks that extend those already applied refine the mask that came of them.

        Raises `InvalidInputError` and changes nothing for prompts that do not fit.
        """
        self.add_prompt(object_id, frame, clicks_and_box(points, labels, box), clear_old=clear_old)

    def add_mask(self, object_id: int, frame: int, mask: Any) -> None:
        """Add the mask [S, S] of an object on a frame as its prompt, replacing earlier ones; empty means absent.

        Arguments and errors otherwise as for `add_points`.
        """
        self.add_prompt(object_id, frame, whole_mask(mask))

    def add_prompt(
        self, object_id: int, frame: int, prompt: Prompt, clear_old: bool = True, *, view: View | None = None
    ) -> None:
        """Add a prompt of an object on a frame; arguments and errors otherwise as for `add_points`.

        With a view it is in the pixels of what that shows, enlarged to the network's input.
        """
        object_id = as_whole_number(object_id, "The object id", -LARGEST, LARGEST)  # what a saved session can hold
        frame = as_whole_number(frame, "The frame")
        if not (self.is_stream and frame == self.num_frames):
            self._check_prompt_fits(frame, prompt)
        target = self._objects.get(object_id) or self.new_object(object_id)
        target.add(frame, prompt, keep_earlier=not clear_old, view=view)
        self.keep(target)

    def _check_prompt_fits(self, frame: int, prompt: Prompt) -> None:
        if self.is_stream and frame > self.num_frames:
            raise InvalidInputError(
                f"Frame {frame} of the stream has yet to come; prompts can be given on the frames that are still there "
                f"and on the next one, {self.num_frames}."
            )
        self.frames.check(frame)
        if prompt.mask is not None or self.is_stream:  # of which the frame may have been dropped
            size = self.get_frame(frame).shape[-2:]
            if prompt.mask is not None and prompt.mask.shape != size:
                raise InvalidInputError(f"The mask has {list(prompt.mask.shape)} pixels; the frames have {list(size)}.")

    def clear_prompts(self, object_id: int, frame: int) -> None:
        """Remove the prompts of an object on a frame, and their results there.

        With its last prompts all that was tracked of it goes, too: the next prompt begins anew.
        """
        target = self._known(object_id)
        if frame not in target.prompts:
            raise InvalidInputError(
                f"Object {object_id} has no prompt on frame {frame}; its prompts are on the frames "
                f"{sorted(target.prompts)}."
            )
        target.remove(frame)

    # -- results --------------------------------------------------------------------------------------------------

    def output(self, object_id: int, frame: int) -> FrameResult | None:
        """Return the mask of an object on a frame, in the video's pixels, with its scores; None if there is none."""
        bank = self._known(object_id).bank
        if frame in bank.results:
            return bank.results[frame]
        memory = bank.recall(frame)
        return None if memory is None else compacted([memory], self.video_size)[0]()

    def evict(self, targets: Sequence[TrackedObject], frame: int, reach: int, pointer_reach: int) -> None:
        """Evict the memories of objects that frames around `frame` cannot attend to: see `MemoryBank.evict`."""
        evicted = [(each.bank, each.bank.evict(frame, reach, pointer_reach)) for each in targets]
        results = iter(compacted([memory for _, memories in evicted for memory in memories.values()], self.video_size))
        for bank, memories in evicted:
            bank.keep_results({other: next(results) for other in memories})
            bank.limit_results(self.max_results)

    @property
    def video_size(self) -> tuple[int, int] | None:
        """The height and width of the video in pixels; None if they are not known."""
        if self.video_height is None or self.video_width is None:
            return None
        return self.video_height, self.video_width


def _check_at_least(fewest: int, **options: int) -> None:
    for name, number in options.items():
        if number < fewest:
            raise InvalidInputError(f"{name} is {number}; it must be at least {fewest}.")
