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

from masklet.cli.prompt_options import parsed_box, parsed_point
from masklet.errors import InvalidInputError, UnreadableImageError
from masklet.masks.geometry import Box
from masklet.media.image_files import opened_image
from masklet.media.label_maps import read_label_map
from masklet.media.mask_files import read_mask_png
from masklet.prompts.object_prompts import ObjectPrompt, Point

if TYPE_CHECKING:
    from masklet.masks.geometry import Mask
    from masklet.video_tracking import TrackedVideo

PLACE = "with @FRAME, @FRAME:OBJECT or @:OBJECT behind it"
POINT_FORM = f"x,y or x,y,label (1 on the object, 0 off it), {PLACE}"
BOX_FORM = f"x1,y1,x2,y2, {PLACE}"
VOID = 255  # of a label map: neither object nor background, as in DAVIS

_WITH_PLACE = re.compile(r"(?P<value>.+)@(?=[\d:])(?P<frame>\d*)(?::(?P<object>\d+))?")
Place = tuple[int, int]  # frame and object
MaskFile = tuple[Path, bool]  # and whether it is a label map


@dataclass(frozen=True)
class PromptOnFrame:
    """What is said about one object on one frame; its mask file may be a label map of several objects."""

    frame: int
    prompt: ObjectPrompt
    is_label_map: bool = False

    def mask(self, height: int, width: int) -> Mask | None:
        """Return the mask (bool [height, width]) if one is given; InvalidInputError if it is of another size."""
        if self.prompt.mask is None:
            return None
        mask = read_mask_png(self.prompt.mask, self.prompt.object_id if self.is_label_map else None)
        if mask.shape != (height, width):
            size = f"{mask.shape[1]} x {mask.shape[0]}"
            raise InvalidInputError(
                f"The mask {self.prompt.mask} is {size} pixels; it must be as large as the video, {width} x {height}."
            )
        return mask

    def check(self, height: int, width: int) -> None:
        """Raise InvalidInputError if this cannot be about a video of this size."""
        from masklet.processing.prompt_tensors import box_tensor, point_tensors

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


def prompts_of_options(
    points: Sequence[str], boxes: Sequence[str], masks: Sequence[str], first_frame: int
) -> tuple[PromptOnFrame, ...]:
    """Return what the options say, by frame and object.

    A value without a frame is about `first_frame`. Without an object, each point is about object 1, the first box or
    mask about object 1, the second about object 2, and so on; a palette picture is about all objects whose ids it
    holds. InvalidInputError for values of another form.
    """
    points_at: dict[Place, list[Point]] = defaultdict(list)
    for option in points:
        value, frame, object_id = _split(option, first_frame)
        points_at[frame, 1 if object_id is None else object_id].append(parsed_point(value, option, POINT_FORM))
    return tuple(_prompts(points_at, _boxes(boxes, first_frame), _masks(masks, first_frame)))


def _prompts(
    points: dict[Place, list[Point]], boxes: dict[Place, Box], masks: dict[Place, MaskFile]
) -> Iterator[PromptOnFrame]:
    for place in sorted({*points, *boxes, *masks}):
        frame, object_id = place
        if place in boxes and place in masks:
            raise InvalidInputError(f"Object {object_id} has a box and a mask on frame {frame}; give one of them.")
        file, is_label_map = masks.get(place, (None, False))
        prompt = ObjectPrompt(object_id, tuple(points.get(place, ())), boxes.get(place), file)
        yield PromptOnFrame(frame, prompt, is_label_map)


def _boxes(options: Sequence[str], first_frame: int) -> dict[Place, Box]:
    boxes: dict[Place, Box] = {}
    numbers = count(1)
    for option in options:
        value, frame, object_id = _split(option, first_frame)
        place = (frame, next(numbers) if object_id is None else object_id)
        _keep_one(boxes, place, parsed_box(value, option, BOX_FORM), f"--box {option}")
    return boxes


def _masks(options: Sequence[str], first_frame: int) -> dict[Place, MaskFile]:
    masks: dict[Place, MaskFile] = {}
    numbers = count(1)
    for option in options:
        value, frame, object_id = _split(option, first_frame)
        file = Path(value)
        is_label_map = object_id is None and _is_palette_picture(file)
        objects = _object_ids(file) if is_label_map else [next(numbers) if object_id is None else object_id]
        for each in objects:
            _keep_one(masks, (frame, each), (file, is_label_map), f"--mask {option}")
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


def _is_palette_picture(file: Path) -> bool:
    try:
        with opened_image(file, "mask") as image:
            return image.mode == "P"
    except UnreadableImageError:
        return False  # reported by the one who reads it


def _object_ids(label_map: Path) -> list[int]:
    present = set(read_label_map(label_map).ravel().tolist()) - {0, VOID}
    if not present:
        raise InvalidInputError(f"The mask {label_map} is empty; the objects' pixels must not be 0.")
    return sorted(present)
