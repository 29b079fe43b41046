"""`masklet track` by prompts as typed: `--point 320,200@30:2`, `--box 10,20,300,400`, `--mask first.png@0`."""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from masklet.cli.prompt_options import Place, Point, TypedMask, parsed_box, parsed_point, places_of_masks, prompt_entry
from masklet.cli.track_choices import parsed_range
from masklet.cli.track_requests import Work
from masklet.errors import InvalidInputError
from masklet.jobs.tracking_job import TrackingJob
from masklet.masks.geometry import Box
from masklet.media.prompt_entries import PromptEntry, empty_mask_error
from masklet.prompts.prompt import Prompt
from masklet.tracking.frame_order import Direction, TrackingTask

if TYPE_CHECKING:
    from masklet.jobs.tracking_journal import SavedTracking
    from masklet.media.recorded_masks import RecordedMasks
    from masklet.media.video_reader import VideoReader
    from masklet.predictors.tracked_video import TrackedVideo
    from masklet.predictors.video_tracker import VideoTracker

PLACE = "with @FRAME, @FRAME:OBJECT or @:OBJECT behind it"
POINT_FORM = f"x,y or x,y,label (1 on the object, 0 off it), {PLACE}"
BOX_FORM = f"x1,y1,x2,y2, {PLACE}"

_WITH_PLACE = re.compile(r"(?P<value>.+)@(?=[\d:])(?P<frame>\d*)(?::(?P<object>\d+))?")


@dataclass(frozen=True)
class PromptedRequest:
    """What is asked for by prompts.

    Attributes:
        prompts: by frame and object; new ones, if a session is resumed.
        task: the frames and the direction.
        saved: what is resumed.
        zoom: whether small objects are followed in enlarged views.
    """

    prompts: Mapping[Place, Prompt]
    task: TrackingTask
    saved: SavedTracking | None
    zoom: bool = False

    @property
    def object_ids(self) -> list[int]:
        """The objects that have prompts, once a prompt."""
        return [object_id for _, object_id in self.prompts]

    def begin(self, tracker: VideoTracker, video: VideoReader, recorded: RecordedMasks) -> Work:
        """Open the video, or resume what was saved, and add the prompts; InvalidInputError if there are none."""
        job = TrackingJob.begin(tracker, video, recorded, self.saved, **({"zoom": True} if self.zoom else {}))
        add_prompts(job.tracked, self.prompts)
        if not job.tracked.prompted_frames:
            raise InvalidInputError("The session has no prompts; give --point, --box or --mask.")
        corrected = {frame for frame, _ in self.prompts}
        return Work(job, partial(job.run, self.task, corrected=corrected))


def prompted_request(
    prompts: Sequence[Sequence[str]],
    frames: str | None,
    direction: Direction | None,
    saved: SavedTracking | None,
    video: VideoReader,
    zoom: bool,
) -> PromptedRequest:
    """Return what is asked for; refuse, before the model is loaded, what could not be tracked.

    Args:
        prompts: what --point, --box and --mask were given.
        frames: what --range was given.
        direction: likewise.
        saved: what is resumed.
        video: what is tracked.
        zoom: whether small objects are followed in enlarged views.

    Raises:
        InvalidInputError: for values of another form, prompts outside the video or the range, and no prompts at all.
        UnreadableImageError: for masks that cannot be read.
    """
    task = _task(frames, direction, video, saved)
    points, boxes, masks = prompts
    entries = prompts_of_options(points, boxes, masks, task.frames.start)
    if not entries and saved is None:
        raise InvalidInputError("There is nothing to track; give --point, --box or --mask, or --everything.")
    for frame, _ in entries:
        if frame not in task.frames:
            first, last = task.frames.start, task.frames.stop - 1
            raise InvalidInputError(f"A prompt is on frame {frame}; tracked are frames {first} to {last}.")
    read, absences = read_prompts(entries, video.height, video.width, is_resumed=saved is not None)
    for absence in absences:
        print(f"Warning: {absence}", file=sys.stderr)
    return PromptedRequest(read, task, saved, zoom)


def _task(
    frames: str | None, direction: Direction | None, video: VideoReader, saved: SavedTracking | None
) -> TrackingTask:
    """Return what is to be tracked: where options are left out, what was asked for in an unfinished session."""
    unfinished = None if saved is None else saved.task
    if unfinished is None:
        return TrackingTask(parsed_range(frames, len(video)), direction or Direction.FORWARD)
    wanted = unfinished.frames if frames is None else parsed_range(frames, len(video))
    return TrackingTask(wanted, direction or unfinished.direction)


class HeldPrompts(Mapping[Place, Prompt]):
    """Prompts by frame and object, with masks as run lengths: those of a large label map are gigabytes in pixels."""

    def __init__(self) -> None:
        self._written: dict[Place, dict[str, Any]] = {}

    def hold(self, place: Place, prompt: Prompt) -> None:
        """Add the prompt of an object on a frame."""
        self._written[place] = prompt.to_json()

    def __getitem__(self, place: Place) -> Prompt:
        return Prompt.from_json(self._written[place])

    def __iter__(self) -> Iterator[Place]:
        return iter(self._written)

    def __len__(self) -> int:
        return len(self._written)


def read_prompts(
    entries: Mapping[Place, PromptEntry], height: int, width: int, *, is_resumed: bool
) -> tuple[HeldPrompts, list[str]]:
    """Return the prompts of all places with their masks, and a warning for each mask that marks an object as absent.

    A mask without any pixel, and without clicks beside it, marks its object as absent from the frame.

    Args:
        entries: by frame and object.
        height: of the video, in pixels.
        width: likewise.
        is_resumed: whether a saved session is resumed, which may know objects that `entries` does not.

    Raises:
        InvalidInputError: for prompts outside the video, masks of another size, and empty ones of objects of which
            nothing else is known.
        UnreadableImageError: for masks that cannot be read.
    """
    prompts, absent = HeldPrompts(), []
    for place, entry in entries.items():
        prompt = entry.prompt(height, width, "the video")
        prompts.hold(place, prompt)
        if _is_absence(prompt):
            absent.append(place)
    known = {object_id for frame, object_id in prompts if (frame, object_id) not in absent}
    sentences = []
    for frame, object_id in absent:
        file = entries[frame, object_id].mask_file
        if not is_resumed and object_id not in known:
            raise empty_mask_error(file)
        sentences.append(f"The mask {file} is empty: object {object_id} is taken to be absent from frame {frame}.")
    return prompts, sentences


def add_prompts(tracked: TrackedVideo, prompts: Mapping[Place, Prompt]) -> None:
    """Add prompts to a video: clicks correct what was given there before, boxes and masks replace it."""
    for (frame, object_id), prompt in prompts.items():
        is_correction = prompt.mask is None and prompt.box is None
        tracked.add(object_id, frame, prompt, keep_earlier=is_correction)


def _is_absence(prompt: Prompt) -> bool:
    return prompt.mask is not None and not prompt.mask.any() and not len(prompt.points)


def prompts_of_options(
    points: Sequence[str], boxes: Sequence[str], masks: Sequence[str], first_frame: int
) -> dict[Place, PromptEntry]:
    """Return what the options describe, by frame and object, in this order.

    A value without a frame is about `first_frame`. Without an object, each point is about object 1, the first box or
    mask about object 1, the second about object 2, and so on; a label map prompts all objects whose ids it contains.
    InvalidInputError for values of another form.
    """
    points_at: dict[Place, list[Point]] = defaultdict(list)
    for option in points:
        value, frame, object_id = _split(option, first_frame)
        points_at[frame, 1 if object_id is None else object_id].append(parsed_point(value, option, POINT_FORM))
    boxes_at, masks_at = _boxes(boxes, first_frame), _masks(masks, first_frame)
    for frame, object_id in sorted(boxes_at.keys() & masks_at.keys()):
        raise InvalidInputError(f"Object {object_id} has a box and a mask on frame {frame}; give one of them.")
    return {
        place: prompt_entry(place[1], points_at.get(place, ()), boxes_at.get(place), masks_at.get(place))
        for place in sorted({*points_at, *boxes_at, *masks_at})
    }


def _boxes(options: Sequence[str], first_frame: int) -> dict[Place, Box]:
    boxes: dict[Place, Box] = {}
    numbers = count(1)
    for option in options:
        value, frame, object_id = _split(option, first_frame)
        place = (frame, next(numbers) if object_id is None else object_id)
        _keep_one(boxes, place, parsed_box(value, option, BOX_FORM), f"--box {option}")
    return boxes


def _masks(options: Sequence[str], first_frame: int) -> dict[Place, TypedMask]:
    masks: dict[Place, TypedMask] = {}
    split = (_split(option, first_frame) for option in options)
    typed = [(Path(value), frame, object_id) for value, frame, object_id in split]
    for option, (mask, places) in zip(options, places_of_masks(typed), strict=True):
        for place in places:
            _keep_one(masks, place, mask, f"--mask {option}")
    return masks


def _split(option: str, first_frame: int) -> tuple[str, int, int | None]:
    """Return the value, its frame and, if it is named, its object."""
    match = _WITH_PLACE.fullmatch(option)
    if match is None:
        return option, first_frame, None
    frame = int(match["frame"]) if match["frame"] else first_frame
    return match["value"], frame, int(match["object"]) if match["object"] else None


def _keep_one(values: dict[Place, Any], place: Place, value: Any, option: str) -> None:
    if place in values:
        frame, object_id = place
        raise InvalidInputError(
            f"{option} is the second for object {object_id} on frame {frame}; put @FRAME:OBJECT behind it."
        )
    values[place] = value
