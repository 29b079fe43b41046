"""The segmentation layout of YOLO: a text file of polygons for each image."""

import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from masklet.atomic_files import written_whole
from masklet.formats.items import ImageItem, ItemObject
from masklet.formats.losses import Holds
from masklet.formats.writing.format import FormatWriter, Fragments, numbered
from masklet.masks.outlines import joined, pieces_of

SPLIT = "train"
_WITHIN_16_BITS = re.compile("[\0-\uffff]+")


class YoloWriter(FormatWriter[ImageItem]):
    """One line an object: its class, and x and y of its outline as shares of width and height.

    The numbers of classes are known at the end only: until then the lines are in the fragments.
    """

    NAME = "yolo"
    TITLE = "YOLO segmentation"
    LAYOUT = f"images/{SPLIT}/IMAGE.jpg, labels/{SPLIT}/IMAGE.txt, data.yaml"
    HOLDS = Holds(holes=False, ids=False)
    IS_FLAT = True

    def write(self, item: ImageItem) -> Iterator[Any]:
        """Write the image, and yield the outlines."""
        self.copied(item, f"images/{SPLIT}")
        yield [item.name, [[each.category, _line(each)] for each in item.objects if not each.is_crowd]]

    def finish(self, fragments: Fragments) -> None:
        """Write the text files, and that of the classes."""
        classes = numbered(category for _, lines in fragments() for category, _ in lines)
        for name, lines in fragments():
            with written_whole(self.folder / f"labels/{SPLIT}/{name}.txt") as unfinished:
                text = "".join(f"{classes[category] - 1} {line}\n" for category, line in lines)
                unfinished.write_text(text, encoding="ascii")
        names = "".join(f"  {number - 1}: {_quoted(name)}\n" for name, number in classes.items())
        with written_whole(self.folder / "data.yaml") as unfinished:  # without `path` it is about its own folder
            text = f"train: images/{SPLIT}\nval: images/{SPLIT}\nnames:\n{names}"
            unfinished.write_text(text, encoding="utf-8")


def _quoted(name: str) -> str:
    """Return a name as both JSON and YAML read it; these escape characters beyond 16 bits in different ways."""
    escaped = _WITHIN_16_BITS.sub(lambda each: json.dumps(each[0])[1:-1], name)
    return f'"{escaped}"'


def _line(each: ItemObject) -> str:
    outline = joined([piece.outline for piece in pieces_of(each.mask)])
    shares = outline / np.array([each.width, each.height])
    return " ".join(f"{share:.6f}" for share in shares.ravel())
