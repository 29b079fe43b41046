"""CVAT's XML: its elements one after the other, and its shapes as annotations of COCO."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError, iterparse

import numpy as np

from masklet.errors import InvalidInputError
from masklet.json_files import shown, whole_number
from masklet.masks.counts import checked_size, counts_from
from masklet.masks.run_length import encode_run_length, mask_of

FILE = "annotations.xml"
SHAPES = frozenset({"mask", "polygon", "box", "polyline", "points", "ellipse", "cuboid", "skeleton"})
_HEAD = 4096  # bytes; a document type stands before the first element

Shape = dict[str, str]
"""The attributes of a shape, and as `kind` its tag."""


def is_of_videos(path: Path) -> bool:
    """Return whether an XML file of CVAT has tracks; without any shape, whether it is about a video.

    A video may also be annotated as images.
    """
    mode = ""
    for each in elements(path, "image", "track", "mode"):
        if each.tag != "mode":
            return each.tag == "track"
        mode = mode or str(each.text)
    return mode == "interpolation"


def elements(path: Path, *tags: str) -> Iterator[Element]:
    """Yield the elements of these tags; each is emptied when the next is asked for.

    InvalidInputError, naming the file, if it is no XML, or has a document type, which CVAT never writes.
    """
    with path.open("rb") as file:
        if b"<!DOCTYPE" in file.read(_HEAD):
            raise InvalidInputError(f"{path} has a document type, which files of CVAT have not.")
        file.seek(0)
        try:
            for _, element in iterparse(file):
                if element.tag in tags:
                    yield element
                    element.clear()
        except (ParseError, ValueError, LookupError) as error:
            raise InvalidInputError(f"{path} is not XML ({error}).") from error


def shapes_of(element: Element) -> list[Shape]:
    """Return the shapes in an image or a track."""
    return [{**each.attrib, "kind": each.tag} for each in element if each.tag in SHAPES]


def segmentation_of(shape: Shape, size: Mapping[str, Any]) -> object:
    """Return what COCO's `segmentation` would be of a mask or a polygon in an image of that size; None of others.

    InvalidInputError if it is broken.
    """
    if shape["kind"] == "mask":
        return _run_length(shape, *checked_size([size["height"], size["width"]]))
    if shape["kind"] == "polygon":
        return [_numbers(shape.get("points", "").replace(";", ","))]
    return None


def _run_length(shape: Shape, height: int, width: int) -> object:
    left, top, crop_width, crop_height = (
        whole_number(shape.get(name), f"The {name} of a mask") for name in ("left", "top", "width", "height")
    )
    if not (crop_width and crop_height and left + crop_width <= width and top + crop_height <= height):
        raise InvalidInputError(
            f"A mask of {crop_width} x {crop_height} pixels at {left}, {top} is not within {width} x {height}."
        )
    runs = counts_from(_numbers(shape.get("rle", "")), crop_height, crop_width)
    mask = np.zeros((height, width), dtype=bool)
    mask[top : top + crop_height, left : left + crop_width] = mask_of(runs, crop_width, crop_height).T
    return encode_run_length(mask)


def _numbers(text: str) -> list[float]:
    try:
        return [float(each) for each in text.split(",")]
    except ValueError:
        raise InvalidInputError(f"Expected numbers, separated by commas; got {shown(text)}.") from None
