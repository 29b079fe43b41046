"""`masklet track` by prompts as typed: `--point 320,200@30:2`, `--box 10,20,300,400`, `--mask first.png@0`."""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from masklet.cli.prompt_options import Point, TypedMask, parsed_box, parsed_point, places_of_masks, prompt_entry
from masklet.cli.track_choices import parsed_range
from masklet.errors import InvalidInputError
from masklet.jobs.prompted_frames import read_prompts
from masklet.jobs.tracking_requests import PromptedRequest
from masklet.masks.geometry import Box
from masklet.media.prompt_entries import Place, PromptEntry
from masklet.tracking.frame_order import Direction, TrackingTask

if TYPE_CHECKING:
    from masklet.jobs.tracking_journal import SavedTracking
    from masklet.media.video_reader import VideoReader

PLACE = "with @FRAME, @FRAME:OBJECT or @:OBJECT behind it"
POINT_FORM = f"x,y or x,y,label (1 on the object, 0 off it), {PLACE}"
BOX_FORM = f"x1,y1,x2,y2, {PLACE}"

_WITH_PLACE = re.compile(r"(?P<value>.+)@(?=[\d:])(?P<frame>\d*)(?::(?P<object>\d+))?")


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
