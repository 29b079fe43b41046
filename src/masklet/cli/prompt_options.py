"""Prompts as typed: `--point 320,200,0@2`, `--box 10,20,300,400` and `--mask car.png` of `masklet segment`.

`masklet track` has the same values on frames of a video (`track_prompts.py`).
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TypeVar

from masklet.errors import InvalidInputError, UnreadableImageError
from masklet.masks.geometry import Box
from masklet.media.mask_images import MaskImage, read_mask_image
from masklet.media.prompt_entries import Place, PromptEntry, empty_mask_error
from masklet.prompts.prompt import Prompt

POINT_FORM = "x,y or x,y,label (1 on the object, 0 off it), with @N behind it for object N"
BOX_FORM = "x1,y1,x2,y2, with @N behind it for object N"

FRAME = 0  # the only one of an image

Point = tuple[float, float, int]  # x, y and label
Value = TypeVar("Value")

_WITH_OBJECT = re.compile(r"(?P<value>.+)@(?P<object>\d+)")


@dataclass(frozen=True)
class TypedMask:
    """The file of a mask, and what it holds where that had to be read to know its objects."""

    file: Path
    image: MaskImage | None = None


def places_of_masks(masks: Iterable[tuple[Path, int, int | None]]) -> Iterator[tuple[TypedMask, list[Place]]]:
    """Yield each mask, given with its frame and the object that was named, and the frame and the objects it prompts.

    Where none was, a label map prompts all objects whose ids it contains; other files prompt object 1, 2 and so on in
    their order, and so is a label map of one object whose id is taken on its frame. InvalidInputError if a file shows
    no object and none was named.
    """
    taken: set[Place] = set()
    numbers = count(1)
    for file, frame, object_id in masks:
        mask = TypedMask(file, _read(file) if object_id is None else None)
        ids = _ids_in(mask) if object_id is None else [object_id]
        if not ids or (object_id is None and len(ids) == 1 and (frame, ids[0]) in taken):
            ids = [next(each for each in numbers if (frame, each) not in taken)]
        places = [(frame, each) for each in ids]
        taken.update(places)
        yield mask, places


def _read(file: Path) -> MaskImage | None:
    """Return what a file holds; None if it cannot be read, which is reported where its mask is used."""
    try:
        return read_mask_image(file)
    except UnreadableImageError:
        return None


def _ids_in(mask: TypedMask) -> list[int]:
    """Return the ids of a label map; none if it is one object, or was not read."""
    if mask.image is None:
        return []
    if not mask.image.labels.any():
        raise empty_mask_error(mask.file)
    return list(mask.image.object_ids) if mask.image.is_label_map else []


def objects_of_options(points: Sequence[str], boxes: Sequence[str], masks: Sequence[str]) -> tuple[PromptEntry, ...]:
    """Return the objects that the options describe, by number.

    A value may end in `@N`: it is about object N. Without it, each point is about object 1, the first box or mask
    about object 1, the second about object 2, and so on; a label map prompts all objects whose ids it contains.
    InvalidInputError for values of another form.
    """
    points_of: dict[int, list[Point]] = defaultdict(list)
    for option in points:
        value, number = _split(option)
        points_of[1 if number is None else number].append(parsed_point(value, option))
    boxes_of = _boxes(boxes)
    masks_of = _masks(masks)
    return tuple(
        prompt_entry(number, points_of.get(number, ()), boxes_of.get(number), masks_of.get(number))
        for number in sorted({*points_of, *boxes_of, *masks_of})
    )


def prompt_entry(object_id: int, points: Sequence[Point], box: Box | None, mask: TypedMask | None) -> PromptEntry:
    """Return the entry of an object; InvalidInputError, naming it, if a point or the box is none."""
    try:
        marks = Prompt([point[:2] for point in points], [point[2] for point in points], box)
    except InvalidInputError as error:
        raise InvalidInputError(f"Object {object_id}: {error}") from error
    return PromptEntry(object_id, marks) if mask is None else PromptEntry(object_id, marks, mask.file, mask.image)


def _boxes(options: Sequence[str]) -> dict[int, Box]:
    boxes: dict[int, Box] = {}
    numbers = count(1)
    for option in options:
        value, number = _split(option)
        _keep_one(boxes, next(numbers) if number is None else number, parsed_box(value, value), f"--box {option}")
    return boxes


def _masks(options: Sequence[str]) -> dict[int, TypedMask]:
    masks: dict[int, TypedMask] = {}
    typed = [(Path(value), FRAME, number) for value, number in map(_split, options)]
    for option, (mask, places) in zip(options, places_of_masks(typed), strict=True):
        for _, number in places:
            _keep_one(masks, number, mask, f"--mask {option}")
    return masks


def _keep_one(values: dict[int, Value], number: int, value: Value, option: str) -> None:
    if number in values:
        raise InvalidInputError(
            f"{option} is the second for object {number}; put @N behind it to make it that of object N."
        )
    values[number] = value


def _split(option: str) -> tuple[str, int | None]:
    match = _WITH_OBJECT.fullmatch(option)
    return (match["value"], int(match["object"])) if match else (option, None)


def parsed_point(value: str, option: str, form: str = POINT_FORM) -> Point:
    """Return the click in `value`; InvalidInputError with the whole `option` and its `form` if it has another form."""
    numbers = _numbers(value)
    if len(numbers) not in (2, 3) or numbers[2:] not in ([], [0.0], [1.0]):
        raise InvalidInputError(f"--point {option} is not of the form {form}.")
    return numbers[0], numbers[1], int(numbers[2]) if len(numbers) == 3 else 1


def parsed_box(value: str, option: str, form: str = BOX_FORM) -> Box:
    """Return the box in `value`; InvalidInputError with the whole `option` and its `form` if it has another form."""
    numbers = _numbers(value)
    if len(numbers) != 4:
        raise InvalidInputError(f"--box {option} is not of the form {form}.")
    x1, y1, x2, y2 = numbers
    return x1, y1, x2, y2


def _numbers(value: str) -> list[float]:
    """Return the numbers between the commas; none if one of them is not a number."""
    try:
        return [float(each) for each in value.split(",")]
    except ValueError:
        return []
