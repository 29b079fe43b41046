"""Objects cut out of their images, transparent around them."""

from collections.abc import Iterator
from typing import Any

from masklet.formats.items import ImageItem
from masklet.formats.losses import Holds
from masklet.formats.writing.format import FormatWriter
from masklet.media.image_copies import write_cut_out


class CutOutsWriter(FormatWriter[ImageItem]):
    """A PNG with transparency for each object, as large as the image."""

    NAME = "cut-outs"
    TITLE = "cut-outs"
    LAYOUT = "IMAGE/OBJECT.png"
    HOLDS = Holds(categories=False)

    def write(self, item: ImageItem) -> Iterator[Any]:
        """Write the objects."""
        pixels = item.read_pixels()
        for each in item.objects:
            if not each.is_crowd:
                write_cut_out(self.folder / f"{item.name}/{each.object_id:04}.png", pixels, each.mask)
        yield from ()
