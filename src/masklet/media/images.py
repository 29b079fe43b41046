"""Image files, and images of any depth, as upright 8-bit RGB."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageOps

from masklet.errors import InvalidInputError, UnreadableImageError
from masklet.masks.geometry import Mask
from masklet.media.image_files import UnknownImageKindError, opened_image
from masklet.media.pixel_depth import scaled_to_8_bit, white_of
from masklet.media.pixel_limit import ImageFile, name_of
from masklet.media.tiff_files import is_tiff, read_bands

Pixels = npt.NDArray[np.uint8]  # [H, W, 3] RGB
_HIGH_BYTE_OF_14_BITS = 63

SIDEWAYS = frozenset({5, 6, 7, 8})
"""The orientations that exchange height and width."""


def read_image(source: ImageFile, *, bands: Sequence[int] | None = None, white: float | None = None) -> Image.Image:
    """Read an image file as an 8-bit RGB image, turned upright by its EXIF orientation.

    Every format and mode that Pillow opens is accepted; `to_rgb` describes how each mode is converted. Of a file with
    several images the first is read. TIFF files may also hold floats in colour, or many bands.

    Args:
        source: a path, or a binary file open for reading.
        bands: of a TIFF the numbers of one or three bands, from 1 on, that are shown as grey or as red, green and blue,
            such as (4, 3, 2); None: those that Pillow shows, or of the kinds that it does not read the only one or RGB.
        white: the value that stands for white in pixels of more than 8 bits; None: see `to_rgb`.

    Raises:
        UnreadableImageError: if there is no such file, it is not an image, is truncated, or has more pixels than
            `max_image_pixels`.
        InvalidInputError: if there are no such bands, or it is not known which of several are meant.

    Example:
        >>> from masklet import read_image
        >>> read_image("assets/truck.jpg").size
        (1024, 683)
    """
    if bands is not None:
        if not is_tiff(source):
            raise InvalidInputError(f"Bands can be chosen of TIFF files only; {name_of(source)} is none.")
        return _bands_as_rgb(source, bands, white)
    try:
        return _read_by_pillow(source, white)
    except UnknownImageKindError:
        if not is_tiff(source):
            raise
        return _bands_as_rgb(source, None, white)


def _bands_as_rgb(source: ImageFile, bands: Sequence[int] | None, white: float | None) -> Image.Image:
    values, orientation = read_bands(source, bands)
    if values.dtype == np.bool_:
        values = values * np.uint8(255)
    is_8_bit = values.dtype == np.uint8
    image = Image.fromarray(values if is_8_bit else scaled_to_8_bit(values, white)).convert("RGB")
    return image_turned_upright(image, orientation)


def _read_by_pillow(source: ImageFile, white: float | None) -> Image.Image:
    with opened_image(source) as image:
        deep = _deep_colours(image, source)
        image.load()  # PNG may have its EXIF data behind the pixels
        if deep is not None:
            image.paste(Image.fromarray(scaled_to_8_bit(deep, white)))
        return to_rgb(ImageOps.exif_transpose(image), white)


def to_rgb(image: Image.Image, white: float | None = None) -> Image.Image:
    """Return an image of any Pillow mode as 8-bit RGB.

    Transparency is dropped, not composited (as `Image.convert("RGB")` does). Deeper pixels are scaled from 0..`white`,
    where Pillow would clip them. Without it, `white_of` the image is what its pixels can be at most: of 16-bit integers
    1023, 4095, 16383 or 65535, of floats 1 or 255. Integers and floats beyond are scaled from their own minimum and
    maximum.

    Raises:
        InvalidInputError: if a float image contains NaN or infinite values.
    """
    if image.mode == "RGB":
        return image
    if _is_deep(image):
        return Image.fromarray(scaled_to_8_bit(np.asarray(image), white)).convert("RGB")
    if image.mode == "La":  # Pillow converts it to nothing else
        image = image.convert("LA")
    if "transparency" in image.info:  # dropping it in one step makes Pillow warn
        image = image.convert("RGBA")
    return image.convert("RGB")


def white_of_image(image: Image.Image | str | os.PathLike[str]) -> float | None:
    """Return `white_of` an image or file of more than 8 bits; None for others, and for a file that cannot be read."""
    if isinstance(image, Image.Image):
        return white_of(np.asarray(image)) if _is_deep(image) else None
    try:
        with opened_image(image) as opened:
            deep = _deep_colours(opened, image)
            return white_of_image(opened) if deep is None else white_of(deep)
    except UnreadableImageError:
        return None


def _is_deep(image: Image.Image) -> bool:
    return image.mode.startswith("I") or image.mode == "F"


def _deep_colours(image: Image.Image, source: ImageFile) -> npt.NDArray[np.uint16] | None:
    """Return the colours [H, W, 3] of a file of 16 bits a channel, not loaded yet, if it holds 14 at most.

    Pillow keeps the high bytes, of which there is little left then.
    """
    has_16_bits = image.mode not in ("I;16", "I;16B") and any(
        ";16" in str(tile[3]) for tile in getattr(image, "tile", ())
    )
    if not has_16_bits:
        return None
    colours = np.asarray(image)[..., : len(image.getbands()) - ("A" in image.getbands())]
    if colours.max(initial=0) > _HIGH_BYTE_OF_14_BITS:
        return None
    encoded = Path(source).read_bytes() if isinstance(source, str | os.PathLike) else _all_of(source)
    values = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None or values.dtype != np.uint16 or values.ndim != 3:
        return None
    return np.asarray(values[..., 2::-1])


def _all_of(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read()


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


def upright_size(path: str | os.PathLike[str]) -> tuple[int, int]:
    """Return the height and width of an image file as it is read, by its header.

    UnreadableImageError if it cannot be read.
    """
    stored = stored_image(path)
    if stored is None:
        raise UnreadableImageError(f"Cannot read the size of the image {path}.")
    height, width, orientation = stored
    return (width, height) if orientation in SIDEWAYS else (height, width)


def turned_upright(mask: Mask, orientation: int) -> Mask:
    """Return a mask (bool [H, W]) of a stored image as reading turns the image, [W, H] for orientations 5 to 8."""
    return np.asarray(image_turned_upright(Image.fromarray(mask), orientation), dtype=bool)


def image_turned_upright(image: Image.Image, orientation: int) -> Image.Image:
    """Return a stored image turned by its orientation; numbers other than 2 to 8 leave it."""
    image.getexif()[ExifTags.Base.Orientation] = orientation
    return ImageOps.exif_transpose(image)
