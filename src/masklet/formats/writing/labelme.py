"""labelme: a JSON file beside each image, with a shape for each piece of an object."""

import base64
import json
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

from masklet.atomic_files import written_whole
from masklet.formats.items import ImageItem, ItemObject
from masklet.formats.losses import Holds
from masklet.formats.writing.format import FormatWriter
from masklet.masks.outlines import pieces_of
from masklet.media.mask_files import encoded_mask

VERSION = "5.5.0"


class LabelmeWriter(FormatWriter[ImageItem]):
    """Polygons, and masks of pixels for objects with holes; `group_id` is the object's id. A video has a folder."""

    NAME = "labelme"
    TITLE = "labelme"
    LAYOUT = "IMAGE.jpg and IMAGE.json"
    HOLDS = Holds()
    IS_FLAT = True
    KEEPS_VIDEOS = True

    def write(self, item: ImageItem) -> Iterator[Any]:
        """Write the image and the file beside it."""
        content: dict[str, Any] = {
            "version": VERSION,
            "flags": {},
            "shapes": [shape for each in item.objects if not each.is_crowd for shape in _shapes(each)],
            "imagePath": PurePosixPath(self.copied(item, "")).name,
            "imageData": None,
            "imageHeight": item.height,
            "imageWidth": item.width,
        }
        with written_whole(self.folder / f"{item.name}.json") as unfinished:
            unfinished.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
        yield from ()


def _shapes(each: ItemObject) -> list[dict[str, Any]]:
    pieces = pieces_of(each.mask)
    if not any(piece.hole_count for piece in pieces):
        return [_shape(each, "polygon", piece.outline.tolist(), None) for piece in pieces]
    left, top, right, bottom = map(int, each.box)
    crop = encoded_mask(each.mask[top:bottom, left:right])
    corners = [[left, top], [right - 1, bottom - 1]]  # labelme's are those of the first and the last pixel
    return [_shape(each, "mask", corners, base64.b64encode(crop).decode("ascii"))]


def _shape(each: ItemObject, kind: str, points: Sequence[Sequence[float]], mask: str | None) -> dict[str, Any]:
    return {
        "label": each.category,
        "points": points,
        "group_id": each.object_id,
        "description": "",
        "shape_type": kind,
        "flags": {},
        "mask": mask,
    }
