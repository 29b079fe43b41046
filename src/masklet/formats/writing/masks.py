"""A black-and-white PNG for each object of an image."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from masklet.formats.items import ImageItem
from masklet.formats.losses import Holds
from masklet.formats.writing.format import FormatWriter
from masklet.media.mask_files import write_mask


class MasksWriter(FormatWriter[ImageItem]):
    """Masks 0 and 255 in a folder an image, named by the object ids; one black mask where there is no object."""

    NAME = "masks"
    TITLE = "images and masks"
    LAYOUT = "images/IMAGE.jpg and masks/IMAGE/OBJECT.png"
    HOLDS = Holds(categories=False)
    IS_FLAT = True

    def write(self, item: ImageItem) -> Iterator[Any]:
        """Write the masks; one file knows nothing of the others."""
        self.copied(item, "images")
        masks = {each.object_id: each.mask for each in item.objects if not each.is_crowd}
        for object_id, mask in (masks or {0: np.zeros((item.height, item.width), dtype=bool)}).items():
            write_mask(self.folder / f"masks/{item.name}/{object_id:04}.png", mask)
        yield from ()
