"""The prompts of `masklet segment` as typed: `--point 320,200,0@2`, `--box 10,20,300,400`, `--mask car.png`."""

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from masklet.errors import InvalidInputError
from masklet.masks.geometry import Box
from masklet.prompts.object_prompts import ObjectPrompt, Point

POINT_FORM = "x,y or x,y,label (1 on the object, 0 off it), with @N behind it for object N"
BOX_FORM = "x1,y1,x2,y2, with @N behind it for object N"

_WITH_OBJECT = re.compile(r"(?P<value>.+)@(?P<object>\d+)")


def objects_of_options(points: Sequence[str], boxes: Sequence[str], masks: Sequence[str]) -> tuple[ObjectPrompt, ...]:
    """Return the objects that the options describe, by number.

    A value may end in `@N`: it is about object N. Without it, each point is about object 1, the first box or mask
    about object 1, the second about object 2, and so on. InvalidInputError for values of another form.
    """
    points_of: dict[int, list[Point]] = defaultdict(list)
    for option in points:
        value, number = _split(option)
        points_of[1 if number is None else number].append(parsed_point(value, option))
    boxes_of = {number: parsed_box(value, value) for number, value in _numbered(boxes, "--box").items()}
    masks_of = {number: Path(value) for number, value in _numbered(masks, "--mask").items()}
    return tuple(
        ObjectPrompt(number, tuple(points_of.get(number, ())), boxes_of.get(number), masks_of.get(number))
        for number in sorted({*points_of, *boxes_of, *masks_of})
    )


def _numbered(options: Sequence[str], name: str) -> dict[int, str]:
    """Return at most one value per object."""
    values: dict[int, str] = {}
    unnumbered = 0
    for option in options:
        value, number = _split(option)
        if number is None:
            unnumbered += 1
            number = unnumbered
        if number in values:
            raise InvalidInputError(
                f"{name} {option} is the second for object {number}; put @N behind it to make it that of object N."
            )
        values[number] = value
    return values


def _split(option: str) -> tuple[str, int | None]:
    match = _WITH_OBJECT.fullmatch(option)
    return (match["value"], int(match["object"])) if match else (option, None)


def parsed_point(value: str, option: str, form: str = POINT_FORM) -> Point:
    """Return the click that `value` says; InvalidInputError with the whole `option` and its `form` if it says none."""
    numbers = _numbers(value)
    if len(numbers) not in (2, 3) or numbers[2:] not in ([], [0.0], [1.0]):
        raise InvalidInputError(f"--point {option} is not of the form {form}.")
    return numbers[0], numbers[1], int(numbers[2]) if len(numbers) == 3 else 1


def parsed_box(value: str, option: str, form: str = BOX_FORM) -> Box:
    """Return the box that `value` says; InvalidInputError with the whole `option` and its `form` if it says none."""
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
