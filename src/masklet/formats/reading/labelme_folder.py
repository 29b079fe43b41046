"""Annotated images as labelme saves them: a JSON file of shapes beside each image."""

import base64
import binascii
from collections.abc import Iterable, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from masklet.errors import InvalidInputError
from masklet.formats.reading.annotated import AnnotatedImage
from masklet.formats.reading.encoded_objects import encoded_image
from masklet.formats.reading.json_beside_images import JsonBesideImages
from masklet.json_files import is_finite_number, shown
from masklet.masks.counts import checked_size, counts_of_mask
from masklet.masks.geometry import Mask
from masklet.masks.run_length import RunLength, decode_segmentation, run_length_of
from masklet.media.mask_images import decoded_mask

CIRCLE_POINTS = 72


class LabelmeFolder(JsonBesideImages):
    """The images under `root` beside which labelme has saved a file.

    Polygons, rectangles, circles and masks are read; lines and points have no mask. Shapes of one label and one group
    are one object.
    """

    NAME = "labelme"
    LAYOUT = "IMAGE.jpg beside IMAGE.json"
    KEYS = frozenset({"shapes", "imagePath"})

    def _image(self, image: Path, path: Path, content: Any) -> AnnotatedImage:
        size, annotations = annotations_in(content, path)
        return encoded_image(image.relative_to(self.root).as_posix(), image, size, annotations, str(path))


def annotations_in(content: Any, path: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the `height` and `width` that a file names, and its objects as `encoded_image` takes them.

    InvalidInputError, naming the file, if it is none of labelme's.
    """
    shapes = content.get("shapes") if isinstance(content, dict) else None
    if not isinstance(shapes, list):
        raise InvalidInputError(f"{path} is no file of labelme: it has no list 'shapes'.")
    size = {"height": content.get("imageHeight"), "width": content.get("imageWidth")}
    try:
        return size, [_annotation(group, size) for group in _groups(shapes)]
    except InvalidInputError as error:
        raise InvalidInputError(f"{path}: {error}") from error


def _groups(shapes: Iterable[Any]) -> list[list[Mapping[str, Any]]]:
    """Return the shapes of each object."""
    alone = count()
    groups: dict[object, list[Mapping[str, Any]]] = {}
    for shape in shapes:
        if not isinstance(shape, Mapping) or not isinstance(shape.get("label"), str):
            raise InvalidInputError(f"A shape is an object with a label; got {shown(shape)}.")
        group = shape.get("group_id")
        key = ("alone", next(alone)) if group is None else (shape["label"], shown(group))
        groups.setdefault(key, []).append(shape)
    return [*groups.values()]


def _annotation(shapes: list[Mapping[str, Any]], size: Mapping[str, Any]) -> dict[str, Any]:
    about = {"category": shapes[0]["label"], "object_id": shapes[0].get("group_id")}
    parts = [part for part in (_part(each, size) for each in shapes) if part is not None]
    outlines = [each for each in parts if not isinstance(each, Mapping)]
    masks = [each for each in parts if isinstance(each, Mapping)]
    if not masks:
        return about | {"segmentation": outlines or None}
    height, width = checked_size([size["height"], size["width"]])
    both = [*masks, *([outlines] if outlines else [])]
    whole = np.logical_or.reduce([decode_segmentation(each, height, width) for each in both])
    return about | {"segmentation": run_length_of(counts_of_mask(whole), height, width)}


def _part(shape: Mapping[str, Any], size: Mapping[str, Any]) -> list[float] | RunLength | None:
    """Return the outline or the run lengths of a shape; None of one that has no inside."""
    kind = shape.get("shape_type", "polygon")
    if kind not in ("polygon", "rectangle", "circle", "mask"):
        return None
    points = _points(shape.get("points"))
    if kind == "polygon":
        return points.ravel().tolist()
    if len(points) != 2:
        raise InvalidInputError(f"A {kind} has two points; got {shown(shape.get('points'))}.")
    (left, top), (right, bottom) = points.tolist()
    if kind == "rectangle":
        return [left, top, right, top, right, bottom, left, bottom]
    if kind == "circle":  # its centre, and a point on it
        angles = np.linspace(0, 2 * np.pi, CIRCLE_POINTS, endpoint=False)
        around = np.stack([np.cos(angles), np.sin(angles)], axis=1) * np.hypot(right - left, bottom - top)
        return (points[0] + around).ravel().tolist()
    return _placed(_decoded(shape.get("mask")), round(left), round(top), size)


def _points(points: object) -> np.ndarray[Any, np.dtype[np.float64]]:
    pairs = points if isinstance(points, list) else None
    if pairs is None or not all(
        isinstance(each, list) and len(each) == 2 and all(map(is_finite_number, each)) for each in pairs
    ):
        raise InvalidInputError(f"Points are a list of [x, y]; got {shown(points)}.")
    return np.array(pairs, dtype=np.float64).reshape(-1, 2)


def _decoded(mask: object) -> Mask:
    try:
        return decoded_mask(base64.b64decode(mask if isinstance(mask, str) else "", validate=True))
    except (binascii.Error, ValueError) as error:
        raise InvalidInputError(f"The mask of a shape is no image in base64 ({error}).") from error


def _placed(crop: Mask, left: int, top: int, size: Mapping[str, Any]) -> RunLength:
    height, width = checked_size([size["height"], size["width"]])
    whole = np.zeros((height, width), dtype=bool)
    bottom, right = top + crop.shape[0], left + crop.shape[1]
    if min(left, top) < 0 or bottom > height or right > width:
        raise InvalidInputError(f"The mask of a shape reaches beyond the image of {width} x {height} pixels.")
    whole[top:bottom, left:right] = crop
    return run_length_of(counts_of_mask(whole), height, width)
