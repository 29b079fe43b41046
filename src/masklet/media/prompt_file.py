"""Prompts for a batch of images, as a JSON file.

The file maps each image, by its path from the file's own folder (or absolute), to the list of its objects:

    {
      "images/street.jpg": [
        {"points": [[320, 200], [350, 240, 0]]},
        {"box": [15, 80, 310, 400]},
        {"id": 7, "box": [400, 80, 610, 400], "points": [[500, 200]], "mask": "masks/car.png"}
      ]
    }

Each object has at least one of `points` ([x, y] or [x, y, label]; label 1 on the object, the default, or 0 off it),
`box` [x1, y1, x2, y2] and `mask` (an image file of the same size; of a label map that shows the `id` the pixels of
this id), all in pixels; and may have an `id` above 0, by default its place in the list.
"""

import os
from pathlib import Path
from typing import Any

from masklet.errors import InvalidInputError
from masklet.json_files import is_file_name, read_json, shown
from masklet.media.prompt_entries import PromptEntry, check_click_label
from masklet.prompts.prompt import Prompt
from masklet.whole_numbers import is_whole_number

KEYS = ("id", "points", "box", "mask")


def read_prompt_file(path: str | os.PathLike[str]) -> dict[Path, tuple[PromptEntry, ...]]:
    """Return the objects of each image; the paths of images and masks start at the file's folder.

    Raises:
        OSError: if the file cannot be read.
        InvalidInputError: naming file, image and object, if it does not have the form described above.
    """
    file = Path(path)
    file.stat()  # that it is missing is no fault of what stands in it
    content = read_json(file, _without_repetition)
    try:
        if not isinstance(content, dict) or not content:
            raise InvalidInputError("expected an object that maps each image to the list of its objects")
        objects_of = [
            (str(file.parent / _file_name(name, "an image")), _objects(name, entries, file.parent))
            for name, entries in content.items()
        ]
        return {Path(image): objects for image, objects in _without_repetition(objects_of).items()}
    except ValueError as error:
        raise InvalidInputError(f"The prompt file {file}: {error}") from error


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = sorted({name for name in names if names.count(name) > 1})
        raise InvalidInputError(f"{', '.join(map(repr, repeated))} occurs twice in one place; merge both entries.")
    return content


def _objects(image: str, entries: Any, folder: Path) -> tuple[PromptEntry, ...]:
    if not isinstance(entries, list) or not entries:
        raise InvalidInputError(f"at {image!r}: expected a list of objects, got {shown(entries)}.")
    objects = []
    for place, entry in enumerate(entries, start=1):
        try:
            objects.append(_object(entry, place, folder))
        except InvalidInputError as error:
            raise InvalidInputError(f"at {image!r}, entry {place}: {error}") from error
    ids = [each.object_id for each in objects]
    if len(set(ids)) < len(ids):
        raise InvalidInputError(f"at {image!r}: the ids of the objects are {ids}; each must be different.")
    return tuple(objects)


def _object(entry: Any, place: int, folder: Path) -> PromptEntry:
    if not isinstance(entry, dict) or not set(entry) <= set(KEYS):
        raise InvalidInputError(f"expected an object with the keys {', '.join(KEYS)}; got {shown(entry)}.")
    object_id, mask = entry.get("id", place), entry.get("mask")
    if not is_whole_number(object_id):
        raise InvalidInputError(f"'id' must be an integer, got {shown(object_id)}.")
    for point in entry["points"] if isinstance(entry.get("points"), list) else ():
        if isinstance(point, list) and len(point) == 3:
            check_click_label(point[2], f"the point {shown(point[:2])}")  # to a Prompt -1 is a label, too
    marks = Prompt.from_json({key: entry[key] for key in ("points", "box") if key in entry})
    return PromptEntry(object_id, marks, None if mask is None else folder / _file_name(mask, "'mask'"))


def _file_name(value: Any, what: str) -> str:
    if not is_file_name(value):
        raise InvalidInputError(f"{what} must be the name of an image file, got {shown(value)}.")
    name: str = value
    return name
