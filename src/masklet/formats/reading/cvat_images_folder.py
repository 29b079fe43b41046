"""Annotated images from CVAT's XML for images."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from masklet.errors import InvalidInputError
from masklet.formats.reading.cvat_xml import FILE, Shape, elements, is_of_videos, segmentation_of, shapes_of
from masklet.formats.reading.listed_folder import ListedFolder, ListedImage
from masklet.json_files import is_file_name, shown


class CvatImagesFolder(ListedFolder):
    """The images of `root/annotations.xml`, with their masks and polygons; other shapes have no mask.

    InvalidInputError if the file is no XML, or an image has no name.
    """

    NAME = "CVAT for images"
    LAYOUT = f"{FILE} and images/IMAGE.jpg"

    def __init__(self, root: str | os.PathLike[str]) -> None:
        path = Path(root) / FILE
        super().__init__(path, [_image(path, each.attrib, shapes_of(each)) for each in elements(path, "image")])

    @classmethod
    def recognises(cls, root: Path) -> bool:
        """Return whether there is an XML file of images, or one that cannot be read."""
        try:
            return (root / FILE).is_file() and not is_of_videos(root / FILE)
        except InvalidInputError:
            return True

    def _as_coco(self, annotation: Shape, size: Mapping[str, Any]) -> dict[str, Any]:
        about: dict[str, Any] = {"segmentation": segmentation_of(annotation, size)}
        if annotation["kind"] == "box":
            about["bbox"] = [annotation.get(name) for name in ("xtl", "ytl", "xbr", "ybr")]
        group = annotation.get("group_id", "0")
        return about | {"category": annotation.get("label"), "object_id": group if group != "0" else None}


def _image(path: Path, attributes: Mapping[str, str], shapes: list[Shape]) -> ListedImage:
    name = attributes.get("name")
    if not is_file_name(name):
        raise InvalidInputError(f"{path}: an image has no name of a file: {shown(name)}.")
    return ListedImage(str(name), {side: attributes.get(side) for side in ("height", "width")}, shapes)
