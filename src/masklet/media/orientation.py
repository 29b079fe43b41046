"""The EXIF orientation of an image file, for what was annotated on the image as it is stored."""

import os
from typing import NamedTuple

import numpy as np
from PIL import ExifTags, Image, ImageOps

from masklet.errors import UnreadableImageError
from masklet.masks.geometry import Mask
from masklet.media.image_files import opened_image

SIDEWAYS = frozenset({5, 6, 7, 8})
"""The orientations that exchange height and width."""


class StoredImage(NamedTuple):
    """The size of an image as it is stored, in pixels, and its EXIF orientation, 1 (upright) to 8."""

    height: int
    width: int
    orientation: int


def stored_image(path: str | os.PathLike[str]) -> StoredImage | None:
    """Return size and orientation in the header of an image file; None if it cannot be read, as reading it reports."""
    try:
        with opened_image(path) as image:
            # Of a PNG without it Pillow would look behind the pixels; of a TIFF its size is that of the upright image.
            has_exif = image.format != "PNG" or "exif" in image.info
            orientation = image.getexif().get(ExifTags.Base.Orientation, 1) if has_exif else 1
            tags = getattr(image, "tag_v2", {}) if image.format == "TIFF" else {}
            width, height = (tags.get(tag, size) for tag, size in zip((256, 257), image.size, strict=True))
            return StoredImage(height, width, orientation)
    except UnreadableImageError:
        return None


def turned_upright(mask: Mask, orientation: int) -> Mask:
    """Return a mask (bool [H, W]) of a stored image as reading turns the image, [W, H] for orientations 5 to 8."""
    return np.asarray(image_turned_upright(Image.fromarray(mask), orientation), dtype=bool)


def image_turned_upright(image: Image.Image, orientation: int) -> Image.Image:
    """Return a stored image turned by its orientation; numbers other than 2 to 8 leave it."""
    image.getexif()[ExifTags.Base.Orientation] = orientation
    return ImageOps.exif_transpose(image)
