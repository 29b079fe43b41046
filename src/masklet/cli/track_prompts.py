"""The prompts of `masklet track` as typed: `--point 320,200@30:2`, `--box 10,20,300,400`, `--mask first.png@0`."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from masklet.cli.mask_prompts import Place, empty_mask_error, mask_of_prompt, places_of_masks
from masklet.cli.prompt_options import parsed_box, parsed_point
from masklet.errors import InvalidInputError
from masklet.masks.geometry import Box
from masklet.prompts.object_prompts import ObjectPrompt, Point

if TYPE_CHECKING:
    from masklet.masks.geometry import Mask
    from masklet.predictors.video_tracker import TrackedVideo

PLACE = "with @FRAME, @FRAME:OBJECT or @:OBJECT behind it"
POINT_FORM = f"x,y or x,y,label (1 on the object, 0 off it), {PLACE}"
BOX_FORM = f"x1,y1,x2,y2, {PLACE}"

_WITH_PLACE = re.compile(r"(?P<value>.+)@(?=[\d:])(?P<frame>\d*)(?::(?P<object>\d+))?")


@dataclass(frozen=True)
class PromptOnFrame:
    """What is said about one object on one frame; its mask file may be a label map of several objects."""

    frame: int
    prompt: ObjectPrompt

    def mask(self, height: int, width: int) -> Mask | None:
        """Return the mask (bool [height, width]) if one is given; InvalidInputError if it is of another size."""
        return None if self.prompt.mask is None else mask_of_prompt(self.prompt, height, width, "the video")

    def is_empty(self, height: int, width: int) -> bool:
        """Whether it is a mask without any pixel and no clicks beside it; errors as of `mask`."""
        mask = self.mask(height, width)
        return mask is not None and not mask.any() and not self.prompt.points

    def check(self, height: int, width: int) -> None:
        """Raise InvalidInputError if this cannot be about a video of this size."""
        from masklet.processing.nested_prompts import box_tensor, point_tensors

        self.mask(height, width)
        size, points = (height, width), [(x, y) for x, y, _ in self.prompt.points]
        if points:
            point_tensors([[points]], None, [size], target_size=1, padding=math.inf)
        if self.prompt.box is not None:
            box_tensor([[self.prompt.box]], [size], target_size=1, padding=math.inf)

    def tell(self, tracked: TrackedVideo, height: int, width: int) -> None:
        """Add this to a video of this size; clicks correct what was said before, boxes and masks replace it."""
        said = self.prompt
        mask = self.mask(height, width)
        if mask is not None:
            tracked.add(said.object_id, self.frame, mask=mask)
        if said.points or said.box is not None:
            tracked.add(
                said.object_id,
                self.frame,
                points=[(x, y) for x, y, _ in said.points] or None,
                labels=[label for _, _, label in said.points] or None,
                box=said.box,
                keep_earlier=said.box is None,
            )


def absences(prompts: Sequence[PromptOnFrame], height: int, width: int, *, is_resumed: bool) -> list[str]:
    """Return a sentence for each empty mask, which says that an object is not on a frame.

    InvalidInputError if nothing else is known of the object: no other prompt, and no session that goes on.
    """
    empty = [each for each in prompts if each.is_empty(height, width)]
    known = {each.prompt.object_id for each in prompts if each not in empty}
    sentences = []
    for each in empty:
        if not is_resumed and each.prompt.object_id not in known:
            raise empty_mask_error(each.prompt.mask)
        absence = f"object {each.prompt.object_id} is taken to be absent from frame {each.frame}"
        sentences.append(f"The mask {each.prompt.mask} is empty: {absence}.")
    return sentences


def prompts_of_options(
    points: Sequence[str], boxes: Sequence[str], masks: Sequence[str], first_frame: int
) -> tuple[PromptOnFrame, ...]:
    """Return what the options say, by frame and object.

    A value without a frame is about `first_frame`. Without an object, each point is about object 1, the first box or
    mask about object 1, the second about object 2, and so on; a label map is about all objects whose ids it shows.
    InvalidInputError for values of another form.
    """
    points_at: dict[Place, list[Point]] = defaultdict(list)
    for option in points:
        value, frame, object_id = _split(option, first_frame)
        points_at[frame, 1 if object_id is None else object_id].append(parsed_point(value, option, POINT_FORM))
    return tuple(_prompts(points_at, _boxes(boxes, first_frame), _masks(masks, first_frame)))


def _prompts(
    points: dict[Place, list[Point]], boxes: dict[Place, Box], masks: dict[Place, Path]
) -> Iterator[PromptOnFrame]:
    for place in sorted({*points, *boxes, *masks}):
        frame, object_id = place
        if place in boxes and place in masks:
            raise InvalidInputError(f"Object {object_id} has a box and a mask on frame {frame}; give one of them.")
        prompt = ObjectPrompt(object_id, tuple(points.get(place, ())), boxes.get(place), masks.get(place))
        yield PromptOnFrame(frame, prompt)


def _boxes(options: Sequence[str], first_frame: int) -> dict[Place, Box]:
    boxes: dict[Place, Box] = {}
    numbers = count(1)
    for option in options:
        value, frame, object_id = _split(option, first_frame)
        place = (frame, next(numbers) if object_id is None else object_id)
        _keep_one(boxes, place, parsed_box(value, option, BOX_FORM), f"--box {option}")
    return boxes


def _masks(options: Sequence[str], first_frame: int) -> dict[Place, Path]:
    masks: dict[Place, Path] = {}
    split = (_split(option, first_frame) for option in options)
    typed = [(Path(value), frame, object_id) for value, frame, object_id in split]
    for option, (file, _, _), places in zip(options, typed, places_of_masks(typed), strict=True):
        for place in places:
            _keep_one(masks, place, file, f"--mask {option}")
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
