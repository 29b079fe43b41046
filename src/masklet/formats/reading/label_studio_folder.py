"""Annotated images from Label Studio's JSON of tasks."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np

from masklet.errors import InvalidInputError
from masklet.folders import matching
from masklet.formats.label_studio_code import counts_of_brush_code
from masklet.formats.reading.listed_folder import ListedFolder, ListedImage
from masklet.json_files import is_file_name, is_finite_number, read_json, shown
from masklet.masks.counts import checked_size
from masklet.masks.run_length import run_length_of

PATTERNS = ("tasks.json", "project-*.json")
LOCAL = "d"
"""The parameter of an address that names a file in the folder that Label Studio serves."""
_TASKS = re.compile(rb"\s*\[\s*\{")


class LabelStudioFolder(ListedFolder):
    """The images of `root/tasks.json`, `root/project-*.json` or the path of such a file.

    Of each task the annotations that were not skipped are read, or else the predictions: what was drawn with the brush,
    and polygons. Images have the last part of their address as names.
    InvalidInputError if the file is no list of tasks.
    """

    NAME = "Label Studio"
    LAYOUT = f"{PATTERNS[0]} or {PATTERNS[1]} and images/IMAGE.jpg"

    def __init__(self, root: str | os.PathLike[str]) -> None:
        path = _file(Path(root)) or Path(root) / PATTERNS[0]
        tasks = read_json(path)
        if not isinstance(tasks, list):
            raise InvalidInputError(f"{path} is no list of tasks; got {shown(tasks)}.")
        super().__init__(path, [_image(path, each) for each in tasks])

    @classmethod
    def recognises(cls, root: Path) -> bool:
        """Return whether there is a JSON file of a usual name that is a list of objects."""
        return _file(root) is not None

    def _as_coco(self, annotation: Any, size: Mapping[str, Any]) -> Any:
        value = annotation.get("value") if isinstance(annotation, Mapping) else None
        if not isinstance(value, Mapping):
            return annotation
        labels = value.get(annotation.get("type"))
        about: dict[str, Any] = {"category": labels[0] if isinstance(labels, list) and labels else None}
        about |= {"score": annotation.get("score"), "object_id": _object_id(annotation.get("meta"))}
        if "rle" in value:
            sides = checked_size([size["height"], size["width"]])
            return about | {"segmentation": run_length_of(counts_of_brush_code(value["rle"], *sides), *sides)}
        if "points" in value:
            return about | {"segmentation": [_in_pixels(value["points"], size)]}
        return about | {"bbox": "width" in value}


def _file(root: Path) -> Path | None:
    found = [root] if root.is_file() else [path for pattern in PATTERNS for path in matching(root, pattern)]
    return next((path for path in found if path.suffix == ".json" and _begins_with_tasks(path)), None)


def _begins_with_tasks(path: Path) -> bool:
    with path.open("rb") as file:
        return _TASKS.match(file.read(1024)) is not None


def _image(path: Path, task: Any) -> ListedImage:
    data = task.get("data") if isinstance(task, dict) else None
    address = next(iter(data.values()), None) if isinstance(data, dict) else None
    name = _file_name(address) if isinstance(address, str) else None
    if not is_file_name(name):
        raise InvalidInputError(f"{path}: a task has no address of an image: {shown(task)}.")
    results = _results(task)
    sizes = (each for each in results if isinstance(each, dict) and "original_width" in each)
    size = next(({side: each.get(f"original_{side}") for side in ("height", "width")} for each in sizes), {})
    return ListedImage(str(name), size, results)


def _file_name(address: str) -> str:
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    local = parse_qs(parts.query).get(LOCAL)
    return local[0] if local else unquote(parts.path).removeprefix("/")


def _results(task: dict[str, Any]) -> list[Any]:
    """Return the results of the first annotation that was not skipped, or of the first prediction."""
    for kind in ("annotations", "predictions"):
        found = task.get(kind)
        for each in found if isinstance(found, list) else []:
            if isinstance(each, dict) and isinstance(each.get("result"), list) and not each.get("was_cancelled"):
                return [*each["result"]]
    return []


def _object_id(meta: object) -> object:
    return meta.get("object_id") if isinstance(meta, Mapping) else None


def _in_pixels(points: object, size: Mapping[str, Any]) -> object:
    """Return points in percent of width and height in pixels, or as they are if they are something else."""
    if not isinstance(points, list) or not all(isinstance(each, list) and len(each) == 2 for each in points):
        return points
    if not all(is_finite_number(number) for each in points for number in each):
        return points
    return (np.array(points, dtype=np.float64).reshape(-1, 2) * [size["width"], size["height"]] / 100).tolist()
