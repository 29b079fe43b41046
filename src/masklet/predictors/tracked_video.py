"""A video, or a stream, whose objects are followed: prompts in, masks of frames out."""

import os
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import chain, pairwise
from typing import Any, Protocol

import torch

from masklet.committed_folder import FolderWriter
from masklet.errors import InvalidInputError
from masklet.json_files import one_of, shown
from masklet.masks.counts import box_of
from masklet.masks.geometry import Box
from masklet.masks.run_length import counts_of
from masklet.masks.segmentation import Segmentation, as_object_ids
from masklet.masks.views import View
from masklet.predictors.encoded_frame import EncodedFrame, prepared_frame
from masklet.predictors.image_segmenter import EncodedImage, ImageSegmenter
from masklet.processing.image_tensors import image_list
from masklet.processing.pixels import original_pixels, prepared_pixels
from masklet.processing.processor import Sam2Processor
from masklet.processing.results import begun_segmentation
from masklet.processing.video_prompts import Click, clicks_and_boxes, network_prompt
from masklet.prompts.prompt import Prompt
from masklet.prompts.prompt_lists import prompt_of
from masklet.runtimes.protocol import Runtime
from masklet.tracking.frame_order import Direction, Stretch, stretches
from masklet.tracking.frames import Seen
from masklet.tracking.object_views import earlier_view, prompt_view
from masklet.tracking.outputs import Sam2VideoSegmentationOutput
from masklet.tracking.propagation import look_at_frame, segment_frame
from masklet.tracking.saved_session import SessionWriter
from masklet.tracking.session import Sam2VideoInferenceSession
from masklet.whole_numbers import is_whole_number

NumberedSegmentation = tuple[int, Segmentation]


class Tracker(Protocol):
    """What opens videos: a runtime and a processor."""

    @property
    def runtime(self) -> Runtime:
        """What runs the network."""

    @property
    def processor(self) -> Sam2Processor:
        """What makes tensors of images and prompts."""


class TrackedVideo:
    """One video or stream, the objects in it, and their prompts.

    Args:
        tracker: what opened it.
        session: the state of tracking.

    Example:
        >>> from masklet import VideoTracker
        >>> video = VideoTracker.from_pretrained().open("assets/juggle.mp4")
        >>> video.add(7, frame=0, points=[(270, 90)])
        >>> video.segment(0).masks.shape
        (1, 270, 480)
    """

    def __init__(self, tracker: Tracker, session: Sam2VideoInferenceSession) -> None:
        self.session = session
        self._runtime = tracker.runtime
        self._processor = tracker.processor

    def __len__(self) -> int:
        """Return the number of frames, of a stream so far."""
        return self.session.num_frames

    @property
    def object_ids(self) -> tuple[int, ...]:
        """The object ids, in the order in which they were first prompted."""
        return tuple(self.session.obj_ids)

    @property
    def prompted_frames(self) -> list[int]:
        """The frames on which an object has a prompt, in order."""
        return sorted({frame for each in self.session.objects() for frame in each.prompts})

    def add(
        self,
        object_id: int,
        frame: int,
        prompt: Prompt | None = None,
        *,
        points: Any = None,
        labels: Any = None,
        box: Any = None,
        mask: Any = None,
        keep_earlier: bool = False,
    ) -> None:
        """Add a prompt for an object on a frame; it is queued until the network runs next.

        Args:
            object_id: the caller's number of the object, above 0.
            frame: number of the frame.
            prompt: in pixels of the video, in place of the four arguments that follow.
            points: clicks [n, 2] (x, y), in pixels of the video.
            labels: [n], 1 on the object, 0 off it; None: all 1.
            box: (x1, y1, x2, y2), in pixels of the video, alone or with clicks.
            mask: [height, width], alone or with clicks that correct it; an empty one marks the object as absent on the
                frame.
            keep_earlier: add to the earlier prompt of the object on this frame, instead of replacing it; a mask always
                replaces it.

        Raises:
            InvalidInputError: for prompts that do not fit; nothing is changed.
        """
        if not is_whole_number(object_id) or object_id < 1:
            raise InvalidInputError(f"Objects are numbered from 1; got object {shown(object_id)}.")
        kinds = (points, labels, box, mask)
        if prompt is not None and any(each is not None for each in kinds):
            raise InvalidInputError("Give a prompt, or points, labels, a box and a mask, not both.")
        if not isinstance(prompt, Prompt | None):
            raise InvalidInputError(f"A prompt is a Prompt; got {shown(prompt)}. Clicks alone are given as points.")
        given = prompt_of(*kinds) if prompt is None else prompt
        side, size = self._processor.target_size, self.session.video_size
        queued = network_prompt(given, size, side)
        view = self._view_of(given, object_id, frame, keep_earlier=keep_earlier)
        if view is not None:
            queued = network_prompt(given.moved_to(view), view.size, side)
        self.session.add_prompt(object_id, frame, queued, clear_old=not keep_earlier, view=view)

    def clear(self, object_id: int, frame: int) -> None:
        """Remove the prompts of an object on a frame."""
        self.session.clear_prompts(object_id, frame)

    def remove(self, object_id: int) -> None:
        """Remove an object; the others stay as they are."""
        self.session.remove_object(object_id)

    def reset(self) -> None:
        """Remove all objects."""
        self.session.reset()

    def segment(self, frame: int, *, objects: Collection[int] | None = None) -> Segmentation:
        """Return the masks of objects on one frame, for a preview before tracking.

        Objects that were tracked onto the frame keep their stored masks, unless they have a new prompt there. To carry
        a correction to other frames, `track` them again.

        Args:
            frame: number of the frame.
            objects: ids of the objects to segment; the others stay as they are. None: all.
        """
        objects = None if objects is None else as_object_ids(objects)
        return self._segmentation(look_at_frame(self._runtime, self.session, frame, objects))[1]

    def encoded(self, frame: int) -> EncodedImage:
        """Return a frame as `ImageSegmenter` takes it, to segment it as an image of its own, apart from all tracking.

        A frame whose features the session keeps (`max_vision_features_cache_size`) is not encoded again, here or there.

        Example:
            >>> from masklet import ImageSegmenter, VideoTracker
            >>> tracker = VideoTracker.from_pretrained()
            >>> video, segmenter = tracker.open("assets/juggle.mp4"), ImageSegmenter(tracker.model, tracker.processor)
            >>> segmenter.segment(video.encoded(0), points=[[(270, 90)]]).masks.shape
            (1, 270, 480)
        """
        height, width = self.session.video_height, self.session.video_width
        if height is None or width is None:
            raise InvalidInputError("The stream has no frame yet; push(...) one first.")
        with torch.inference_mode():
            features = self.session.frames.features(self._runtime, frame)
            return EncodedImage(self._runtime.without_memory(features), height, width)

    def track(
        self, direction: str = "forward", frames: range | None = None, *, objects: Collection[int] | None = None
    ) -> Iterator[NumberedSegmentation]:
        """Track objects, and yield each frame's number and masks; no frame twice.

        Prompts can be added meanwhile; they count from the next frame on. Memory does not grow with the number of
        frames.

        Args:
            direction: "forward" from the first frame with a prompt, "backward" from the last one, or "both": forward,
                and then backward from where that began.
            frames: only these; tracking begins at the nearest of them.
            objects: ids of the objects to track, and to yield; the others stay as they are. None: all.

        Raises:
            InvalidInputError: before the first frame, if there is no prompt, or no such frame or direction.
        """
        if self.session.is_stream:
            raise InvalidInputError("The frames of a stream are tracked as they come; give them to push(...).")
        direction = one_of(direction, "direction", Direction)
        wanted = range(len(self)) if frames is None else frames
        if not isinstance(wanted, range) or wanted.step != 1 or not 0 <= wanted.start < wanted.stop <= len(self):
            raise InvalidInputError(f"frames must be within {range(len(self))} in steps of 1, got {wanted}.")
        objects = None if objects is None else as_object_ids(objects)
        followed = self.session.objects(objects)
        if not (prompted := sorted({frame for each in followed for frame in each.prompts})):
            raise InvalidInputError("No object has a prompt yet; add(...) one first.")
        return self._tracked(stretches(prompted, wanted, direction), objects)

    def push(self, image: Any, *, objects: Collection[int] | None = None) -> NumberedSegmentation:
        """Track objects onto the next frame of a stream; return its number and their masks.

        Objects can be added on this frame afterwards; `segment` previews them.

        Args:
            image: the frame, or an `EncodedFrame`, which other streams are given, too.
            objects: ids of the objects to track, perhaps none; the others stay as they are. None: all.

        Raises:
            InvalidInputError: if the image is not as large as the ones before, or there are several.
        """
        frame = image.frame if isinstance(image, EncodedFrame) else prepared_frame(self._processor, image)
        height, width = frame.size
        known = (self.session.video_height, self.session.video_width)
        if len(self) and known != (height, width):
            raise InvalidInputError(
                f"The frame has {width} x {height} pixels, those before it {known[1]} x {known[0]}; all must be of one "
                "size."
            )
        self.session.video_height, self.session.video_width = height, width
        followed = self.object_ids if objects is None else as_object_ids(objects)
        pixels = frame.pixels(self.session.video_storage_device)
        seen = self._enlarging(frame.image) if self.session.zoom else None
        if isinstance(image, EncodedFrame) and self.session.is_stream:
            self.session.frames.cache.get(len(self), lambda: image.features)
        if followed:
            return self._segmentation(
                segment_frame(self._runtime, self.session, frame=pixels, seen=seen, objects=followed)
            )
        nothing = torch.zeros(0, 1, 1)
        number = self.session.add_new_frame(pixels, seen=seen)
        return number, begun_segmentation(nothing, nothing[:, 0, 0], (), (height, width))()

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write everything but the frames into a folder, to `VideoTracker.resume` it later or elsewhere."""
        self.session.save(folder, self._runtime)

    def writer(self, folder: FolderWriter) -> SessionWriter:
        """Return a writer that saves this video again and again, each time only what is new."""
        return SessionWriter(folder, self.session, self._runtime.fingerprint)

    def drawn_prompts(self) -> dict[int, tuple[list[Click], list[Box]]]:
        """Return the clicks and boxes of all objects by frame, in pixels of the video, as overlays show them."""
        drawn: dict[int, tuple[list[Click], list[Box]]] = {frame: ([], []) for frame in self.prompted_frames}
        if (size := self.session.video_size) is None:  # of a stream that has not begun: there can be masks only
            return drawn
        for each in sorted(self.session.objects(), key=lambda each: each.object_id):
            for frame, prompt in each.prompts.items():
                view = each.views.get(frame, View.whole(*size))
                clicks, boxes = clicks_and_boxes(prompt, view, self._runtime.config.image_size)
                drawn[frame][0].extend(clicks)
                drawn[frame][1].extend(boxes)
        return drawn

    def _enlarging(self, image: Any) -> Seen:
        """Return what enlarges views of an image; it keeps the pixels, as the caller's may change."""
        options = self._processor.image_processor
        pixels_chw = original_pixels(image_list(image)[0], options).clone()
        return lambda view: prepared_pixels(view.of(pixels_chw), options)

    def _view_of(self, prompt: Prompt, object_id: int, frame: int, *, keep_earlier: bool) -> View | None:
        """Return the view that a prompt is placed in; None: the whole frame."""
        size, frames = self.session.video_size, self.session.frames
        if not self.session.zoom or size is None or frame not in frames:
            return None
        objects = {each.object_id: each for each in self.session.objects()}
        target = objects.pop(object_id, None)
        if target is not None and frame in target.prompts and keep_earlier and prompt.mask is None:
            return earlier_view(target, frame, prompt)
        others = [each.views[frame] for each in objects.values() if frame in each.views]
        known = None if target is None else target.bank.known(frame)

        def find() -> Box | None:
            segmenter = ImageSegmenter(self._runtime, self._processor)
            alone = segmenter.segment(self.encoded(frame), prompts=[prompt])
            return box_of(counts_of(alone.run_lengths[0], *size), size[0])

        return prompt_view(prompt, known, others, size, find)

    def _tracked(self, order: Iterable[Stretch], objects: Collection[int] | None) -> Iterator[NumberedSegmentation]:
        for stretch, backward in ((each, each.is_backward) for each in order):
            for frame, following in pairwise(chain(stretch, [None])):
                output = segment_frame(self._runtime, self.session, frame, reverse=backward, objects=objects)
                masks = self._reading(output)
                # No prompt that comes of these masks changes what is encoded, but for the views of small objects.
                if following is not None and not self.session.zoom:
                    self.session.frames.encode_ahead(self._runtime, following)
                yield output.frame_idx, masks()

    def _segmentation(self, output: Sam2VideoSegmentationOutput) -> NumberedSegmentation:
        return output.frame_idx, self._reading(output)()

    def _reading(self, output: Sam2VideoSegmentationOutput) -> Callable[[], Segmentation]:
        size = self.session.video_size
        assert size is not None  # a video's is known from the beginning, a stream's from its first frame on
        scores = output.iou_scores[:, 0] * (output.object_score_logits[:, 0] > 0)
        return begun_segmentation(output.pred_masks[:, 0], scores, output.object_ids, size, views=output.views)
