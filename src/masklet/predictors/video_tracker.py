"""Objects through a video: prompt them, then track them through the frames."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from inspect import Parameter, signature
from itertools import chain
from typing import Any, Self

import torch

from masklet.committed_folder import FolderWriter
from masklet.configuration.loading_arguments import with_location
from masklet.configuration.tracking_presets import TrackingPreset
from masklet.devices import is_bfloat16_faster
from masklet.errors import InvalidInputError
from masklet.json_files import shown
from masklet.masks.geometry import Box
from masklet.masks.segmentation import Segmentation
from masklet.processing.processor import Sam2Processor
from masklet.processing.results import segmentation_of
from masklet.processing.video_prompts import Click, clicks_and_boxes
from masklet.tracking.frame_order import Direction, Stretch, stretches
from masklet.tracking.outputs import Sam2VideoSegmentationOutput
from masklet.tracking.saved_session import SavedSession, SessionWriter
from masklet.tracking.session import Sam2VideoInferenceSession
from masklet.tracking.video_model import Sam2VideoModel
from masklet.whole_numbers import is_whole_number

NumberedSegmentation = tuple[int, Segmentation]
_NOT_OPTIONS = {"video", "video_height", "video_width"}  # given by the video itself


class VideoTracker:
    """A model and its processor: `open` a video, or a stream, to follow objects through it.

    Example:
        >>> from masklet import VideoTracker
        >>> video = VideoTracker.from_pretrained().open("assets/juggle.mp4")
        >>> video.add(1, frame=0, box=(229, 105, 262, 137))
        >>> [number for number, result in video.track(frames=range(3))]
        [0, 1, 2]
    """

    def __init__(self, model: Sam2VideoModel, processor: Sam2Processor) -> None:
        self.model = model.eval()
        self.processor = processor

    @classmethod
    def from_pretrained(
        cls, source: str | os.PathLike[str] | None = None, *, preset: str = TrackingPreset.EXACT, **options: Any
    ) -> Self:
        """Load model and processor from a folder, a weight file, a hub id or (None) the package.

        `preset` ("exact", "fast"): see `TrackingPreset`. `options` (device, dtype, image_size, ...) go to
        `Sam2VideoModel.from_pretrained`, and override the preset.
        """
        chosen = TrackingPreset.named(preset)
        is_type_given = options.keys() & {"dtype", "torch_dtype"}
        if chosen.may_round and not is_type_given and is_bfloat16_faster(options.get("device") or "cpu"):
            options["dtype"] = torch.bfloat16
        model = Sam2VideoModel.from_pretrained(source, **options)
        if "image_size" not in options:
            model.resize(chosen.image_size(model.config.image_size))
        size = {"height": model.config.image_size, "width": model.config.image_size}
        source, place, _ = with_location(source, options)
        return cls(model, Sam2Processor.from_pretrained(source, size=size, **place))

    def open(self, video: Any = None, **options: Any) -> "TrackedVideo":
        """Open a video (path, folder of frames, list or array of images, reader), or a stream if None.

        `options` (retention, ...) and errors are those of `Sam2Processor.init_video_session`.
        """
        defaults = {"inference_device": self.model.device, "dtype": self.model.dtype}
        _check_options(options, self.processor.init_video_session, Sam2VideoInferenceSession)
        return TrackedVideo(self, self.processor.init_video_session(video, **{**defaults, **options}))

    def resume(
        self, folder: str | os.PathLike[str] | SavedSession, video: Any = None, **options: Any
    ) -> "TrackedVideo":
        """Continue from what `TrackedVideo.save` wrote, in the same video (a stream if None), with the same results.

        `folder` is where it was saved, or what was read there.

        `options` and errors are those of `masklet.tracking.saved_session.load_session`: InvalidInputError if the
        session is another model's or another video's.
        """
        frames = None if video is None else self.processor.video_frames(video)
        return TrackedVideo(self, Sam2VideoInferenceSession.load(folder, frames, self.model, **options))


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

    def __init__(self, tracker: VideoTracker, session: Sam2VideoInferenceSession) -> None:
        self.session = session
        self._model = tracker.model
        self._processor = tracker.processor

    def __len__(self) -> int:
        """The number of frames, of a stream so far."""
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
            points: clicks [n, 2] (x, y), in pixels of the video.
            labels: [n], 1 on the object, 0 off it; None: all 1.
            box: (x1, y1, x2, y2), in pixels of the video, alone or with clicks.
            mask: alone, [height, width]; an empty one marks the object as absent on the frame.
            keep_earlier: add to the earlier prompt of the object on this frame, instead of replacing it.

        Raises:
            InvalidInputError: for prompts that do not fit; nothing is changed.
        """
        if not is_whole_number(object_id) or object_id < 1:
            raise InvalidInputError(f"Objects are numbered from 1; got object {shown(object_id)}.")
        if points is not None and labels is None:
            labels = [1] * _count(points)
        self._processor.add_inputs_to_inference_session(
            self.session,
            frame,
            object_id,
            input_points=None if points is None else [[points]],
            input_labels=None if labels is None else [[labels]],
            input_boxes=None if box is None else [[box]],
            input_masks=None if mask is None else [mask],
            clear_old_inputs=not keep_earlier,
        )

    def clear(self, object_id: int, frame: int) -> None:
        """Remove the prompts of an object on a frame."""
        self.session.clear_prompts(object_id, frame)

    def remove(self, object_id: int) -> None:
        """Remove an object; the others stay as they are."""
        self.session.remove_object(object_id)

    def reset(self) -> None:
        """Remove all objects."""
        self.session.reset()

    def segment(self, frame: int) -> Segmentation:
        """Return the masks of all objects on one frame, for a preview before tracking.

        Objects that were tracked onto the frame keep their stored masks, unless they have a new prompt there. To carry
        a correction to other frames, `track` them again.
        """
        return self._segmentation(self._model.look(self.session, frame))[1]

    def track(self, direction: str = "forward", frames: range | None = None) -> Iterator[NumberedSegmentation]:
        """Track all objects, and yield each frame's number and masks; no frame twice.

        Prompts can be added meanwhile; they count from the next frame on. Memory does not grow with the number of
        frames.

        Args:
            direction: "forward" from the first frame with a prompt, "backward" from the last one, or "both": forward,
                and then backward from where that began.
            frames: only these; tracking begins at the nearest of them.

        Raises:
            InvalidInputError: before the first frame, if there is no prompt, or no such frame or direction.
        """
        if self.session.is_stream:
            raise InvalidInputError("The frames of a stream are tracked as they come; give them to push(...).")
        if direction not in (names := [each.value for each in Direction]):
            raise InvalidInputError(f"direction must be one of {names}, got {shown(direction)}.")
        wanted = range(len(self)) if frames is None else frames
        if not isinstance(wanted, range) or wanted.step != 1 or not 0 <= wanted.start < wanted.stop <= len(self):
            raise InvalidInputError(f"frames must be within {range(len(self))} in steps of 1, got {wanted}.")
        if not (prompted := self.prompted_frames):
            raise InvalidInputError("No object has a prompt yet; add(...) one first.")
        return self._tracked(stretches(prompted, wanted, Direction(direction)))

    def push(self, picture: Any) -> NumberedSegmentation:
        """Track the objects onto the next frame of a stream; return its number and their masks.

        Objects can be added on this frame afterwards; `segment` previews them.

        Raises:
            InvalidInputError: if the image is not as large as the ones before, or there are several.
        """
        inputs = self._processor(images=picture, return_tensors="pt")
        if (count := len(inputs["pixel_values"])) != 1:
            raise InvalidInputError(f"The frames of a stream are pushed one by one; got {count} images at once.")
        height, width = inputs["original_sizes"][0].tolist()
        known = (self.session.video_height, self.session.video_width)
        if len(self) and known != (height, width):
            raise InvalidInputError(
                f"The frame has {width} x {height} pixels, those before it {known[1]} x {known[0]}; all must be of one "
                "size."
            )
        self.session.video_height, self.session.video_width = height, width
        if self.object_ids:
            return self._segmentation(self._model(self.session, frame=inputs["pixel_values"][0]))
        nothing = torch.zeros(0, 1, 1)
        number = self.session.add_new_frame(inputs["pixel_values"][0])
        return number, segmentation_of(nothing, nothing[:, 0, 0], (), (height, width))

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write everything but the frames into a folder, to `VideoTracker.resume` it later or elsewhere."""
        self.session.save(folder, self._model)

    def writer(self, folder: FolderWriter) -> SessionWriter:
        """Return a writer that saves this video again and again, each time only what is new."""
        return SessionWriter(folder, self.session, self._model)

    def drawn_prompts(self) -> dict[int, tuple[list[Click], list[Box]]]:
        """Return the clicks and boxes of all objects by frame, in pixels of the video, as overlays show them."""
        height, width = self.session.video_height, self.session.video_width
        drawn: dict[int, tuple[list[Click], list[Box]]] = {frame: ([], []) for frame in self.prompted_frames}
        if height is None or width is None:  # of a stream that has not begun: there can be masks only
            return drawn
        for each in sorted(self.session.objects(), key=lambda each: each.object_id):
            for frame, prompt in each.prompts.items():
                clicks, boxes = clicks_and_boxes(prompt, (height, width), self._model.config.image_size)
                drawn[frame][0].extend(clicks)
                drawn[frame][1].extend(boxes)
        return drawn

    def _tracked(self, order: Iterable[Stretch]) -> Iterator[NumberedSegmentation]:
        for stretch in order:
            for frame in stretch:
                yield self._segmentation(self._model(self.session, frame_idx=frame, reverse=stretch.is_backward))

    def _segmentation(self, output: Sam2VideoSegmentationOutput) -> NumberedSegmentation:
        height, width = self.session.video_height, self.session.video_width
        assert height is not None  # a video's size is known from the beginning, a stream's from its first frame on
        assert width is not None
        is_present = output.object_score_logits[:, 0] > 0
        scores = output.iou_scores[:, 0] * is_present
        masks = segmentation_of(output.pred_masks[:, 0], scores, output.object_ids, (height, width))
        return output.frame_idx, masks


def _count(points: Any) -> int:
    try:
        return len(points)
    except TypeError:
        raise InvalidInputError(f"points are clicks [[x, y], ...]; got {shown(points)}.") from None


def _check_options(options: Mapping[str, Any], *takers: Callable[..., Any]) -> None:
    """Raise `InvalidInputError` for options that none of `takers` has as a keyword."""
    parameters = chain.from_iterable(signature(taker).parameters.values() for taker in takers)
    known = sorted({each.name for each in parameters if each.kind is not Parameter.VAR_KEYWORD} - _NOT_OPTIONS)
    if unknown := sorted(options.keys() - set(known)):
        raise InvalidInputError(f"There is no option {', '.join(unknown)}; there are {', '.join(known)}.")
