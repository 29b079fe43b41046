"""The prompts of objects as they are typed or stand in a file, where a mask is the name of an image file."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from masklet.errors import InvalidInputError
from masklet.json_files import is_file_name, read_json, shown, whole_number
from masklet.media.mask_images import MaskImage, read_mask_image
from masklet.prompts.point_labels import NEGATIVE, POSITIVE
from masklet.prompts.prompt import Prompt
from masklet.whole_numbers import is_whole_number

LARGEST_ID = 2**31 - 1
KEYS = ("id", "points", "box", "mask")  # of an object in a prompt file
FRAME = "frame"  # of an object of a video, too

Place = tuple[int, int]  # frame and object


@dataclass(frozen=True)
class PromptEntry:
    """An object and what marks it; the file of its mask is read when the size of its image is known.

    Attributes:
        object_id: 1 to 2**31 - 1.
        marks: its clicks, its box and its mask, if that stands there as run lengths.
        mask_file: an image file of the image's size, read by `masklet.media.mask_images`: of a label map that shows
            `object_id` the pixels of this id, or else all that are of any object.
        mask_image: what that file holds, where it has been read before.

    Raises:
        InvalidInputError: for other ids, if there is neither a click nor a box nor a mask, and for the label -1, which
            networks take for what is not a point.
    """

    object_id: int
    marks: Prompt = field(default_factory=Prompt)
    mask_file: Path | None = None
    mask_image: MaskImage | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not 1 <= self.object_id <= LARGEST_ID:
            raise InvalidInputError(f"Objects are numbered from 1 to {LARGEST_ID}; got {shown(self.object_id)}.")
        if self.marks.is_empty and self.mask_file is None:
            raise InvalidInputError(f"Object {self.object_id} has no prompt; give points, a box or a mask.")
        for label in self.marks.labels.tolist():
            check_click_label(label, f"Object {self.object_id}: a point")

    def prompt(self, height: int, width: int, owner: str) -> Prompt:
        """Return the prompt with its mask, if there is one.

        Args:
            height: of the image, in pixels.
            width: likewise.
            owner: what messages call the image, "its image" or "the video".

        Raises:
            UnreadableImageError: if the mask cannot be read.
            InvalidInputError: if a prompt is outside the image, or the mask is of another size.
        """
        try:
            self.marks.check_in_image(height, width)
        except InvalidInputError as error:
            raise InvalidInputError(f"Object {self.object_id}: {error}") from error
        if self.mask_file is None and self.marks.mask is None:
            return self.marks
        mask = self._mask()
        if mask.shape != (height, width):
            name = self.mask_file or f"of object {self.object_id}"
            raise InvalidInputError(
                f"The mask {name} is {mask.shape[1]} x {mask.shape[0]} pixels; it must be as large as "
                f"{owner}, {width} x {height}."
            )
        return self.marks.with_mask(mask)

    def _mask(self) -> Any:
        if self.mask_file is None:
            return self.marks.mask
        return (self.mask_image or read_mask_image(self.mask_file)).mask_of(self.object_id)


def check_click_label(label: object, name: str) -> None:
    """Raise InvalidInputError, with `name`, unless a label is that of a click."""
    if label not in (POSITIVE, NEGATIVE):
        raise InvalidInputError(f"{name} has the label 1 (on the object) or 0 (off it); got {shown(label)}.")


def empty_mask_error(file: Path | None) -> InvalidInputError:
    """Return the error of a mask without any pixel."""
    return InvalidInputError(
        f"The mask {file} is empty: no pixel is inside. Grey counts from 128 on; at most 32 values without 255 are "
        "object ids."
    )


def read_prompt_file(path: str | os.PathLike[str]) -> dict[Path, tuple[PromptEntry, ...]]:
    """Return the objects of each image of a prompt file; the paths of images and masks start at the file's folder.

    A prompt file is JSON. It maps each image to the list of its objects:

        {
          "images/street.jpg": [
            {"points": [[320, 200], [350, 240, 0]]},
            {"box": [15, 80, 310, 400]},
            {"id": 7, "box": [400, 80, 610, 400], "points": [[500, 200]], "mask": "masks/car.png"}
          ]
        }

    Each object has at least one of `points` ([x, y] or [x, y, label]; label 1 on the object, the default, or 0 off it),
    `box` [x1, y1, x2, y2] and `mask` (an image file of the same size; of a label map that shows the `id` the pixels of
    this id; or COCO's run lengths {"size", "counts"}), all in pixels; and may have an `id` above 0, by default its
    place in the list.

    Raises:
        OSError: if the file cannot be read.
        InvalidInputError: naming file, image and object, if it does not have this form.
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


def objects_at_frames(content: Any, folder: Path) -> dict[Place, PromptEntry]:
    """Return the objects of a video, or of an image, by frame and id.

    Args:
        content: a list of objects as in a prompt file (`read_prompt_file`), of which each may have a `frame`, 0 by
            default.
        folder: where the paths of masks start.

    Raises:
        InvalidInputError: naming the entry, if it does not have this form.
    """
    if not isinstance(content, list) or not content:
        raise InvalidInputError(f"expected a list of objects, got {shown(content)}.")
    objects: dict[Place, PromptEntry] = {}
    for number, entry in enumerate(content, start=1):
        try:
            frame = whole_number(entry.get(FRAME, 0), f"'{FRAME}'") if isinstance(entry, dict) else 0
            marks = {key: value for key, value in entry.items() if key != FRAME} if isinstance(entry, dict) else entry
            found = _object(marks, number, folder)
            if objects.setdefault((frame, found.object_id), found) is not found:
                raise InvalidInputError(f"object {found.object_id} is there twice on frame {frame}.")
        except InvalidInputError as error:
            raise InvalidInputError(f"entry {number}: {error}") from error
    return objects


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
    inline = {"mask": mask} if isinstance(mask, dict) else {}
    marks = Prompt.from_json({key: entry[key] for key in ("points", "box") if key in entry} | inline)
    return PromptEntry(object_id, marks, None if mask is None or inline else folder / _file_name(mask, "'mask'"))


def _file_name(value: Any, what: str) -> str:
    if not is_file_name(value):
        raise InvalidInputError(f"{what} must be the name of an image file, got {shown(value)}.")
    name: str = value
    return name
