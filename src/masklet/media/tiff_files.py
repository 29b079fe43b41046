"""TIFF files of kinds that Pillow does not read: floats in colour, and more bands than red, green and blue."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from masklet.environment import HOW_TO_RAISE
from masklet.errors import InvalidInputError, UnreadableImageError
from masklet.media.pixel_limit import ImageFile, check_pixels, max_image_pixels, name_of

if TYPE_CHECKING:
    from tifffile import TiffPage

MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
ORIENTATION = 274
BYTES_A_PIXEL = 4  # at the limit of pixels, as of the deepest images that Pillow reads; smaller ones may have more
NUMBERS = "buif"  # numpy's letters of bool, integers and floats


def is_tiff(source: ImageFile) -> bool:
    """Whether a file that can be read begins as a TIFF does."""
    if isinstance(source, str | os.PathLike):
        with open(source, "rb") as file:
            return file.read(4) in MAGIC
    source.seek(0)
    first = source.read(4)
    source.seek(0)
    return first in MAGIC


def read_bands(source: ImageFile, bands: Sequence[int] | None) -> tuple[np.ndarray, int]:
    """Return bands of the first image of a TIFF file, [H, W] or [H, W, 3], as deep as it is, and its orientation.

    The pixels are as they are stored, not turned.

    Args:
        source: a path, or a binary file open for reading.
        bands: one or three numbers of bands, from 1 on; None: the only one, or red, green and blue.

    Raises:
        UnreadableImageError: for a kind of TIFF that is not read, which is named, or too many pixels or bytes.
        InvalidInputError: if there are no such bands, or None leaves open which of several are meant.
    """
    with _first_page(source) as page:
        kind, count = _kind(page), page.samplesperpixel
        if page.dtype is None or page.dtype.kind not in NUMBERS or page.axes not in ("YX", "YXS", "SYX"):
            raise UnreadableImageError(f"{name_of(source)} is {kind}, which is not read.")
        check_pixels(source, page.imagewidth, page.imagelength)
        _check_bytes(source, page)
        orientation = page.tags.valueof(ORIENTATION, 1)
        chosen = _checked(bands, count, name_of(source)) if bands is not None else _usual(page, source)
        try:
            values = page.asarray()
        except Exception as error:
            raise UnreadableImageError(f"{name_of(source)} is {kind}, which is not read: {error}") from error
        if page.axes == "YX":
            return values, orientation
        values = np.moveaxis(values, 0, -1) if page.axes == "SYX" else values
        indices = [band - 1 for band in chosen] if len(chosen) > 1 else chosen[0] - 1
        return values[..., indices], orientation


def _check_bytes(source: ImageFile, page: Any) -> None:
    """Refuse what is small by its pixels, but has so many bands that it fills the memory."""
    limit = max_image_pixels()
    decoded = page.size * page.dtype.itemsize
    if limit is not None and decoded > (allowed := limit * BYTES_A_PIXEL):
        raise UnreadableImageError(
            f"{name_of(source)} is {_kind(page)}, too large: {decoded:,} bytes, more than the {allowed:,} "
            f"allowed ({BYTES_A_PIXEL} for each of {limit:,} pixels). {HOW_TO_RAISE}"
        )


def kind_of(source: ImageFile) -> str:
    """Return the bands, numbers and compression of a TIFF file, as messages call them."""
    try:
        with _first_page(source) as page:
            return _kind(page)
    except UnreadableImageError:
        return "a broken TIFF"


@contextmanager
def _first_page(source: ImageFile) -> Iterator["TiffPage"]:
    import tifffile

    try:
        file = tifffile.TiffFile(source)
    except Exception as error:
        raise UnreadableImageError(f"{name_of(source)} is no readable TIFF: {error}") from error
    with file:
        page: Any = file.pages[0]
        yield page


def _kind(page: "TiffPage") -> str:
    compression = getattr(page.compression, "name", page.compression)
    bands = f"{page.samplesperpixel} band{'s' if page.samplesperpixel > 1 else ''}"
    return f"a TIFF with {bands} of {page.dtype or 'unknown numbers'}, compression {compression}"


def _checked(bands: Sequence[int], count: int, name: str) -> Sequence[int]:
    if len(bands) not in (1, 3) or not all(1 <= band <= count for band in bands):
        raise InvalidInputError(f"bands must be one or three numbers from 1 to {count} for {name}; got {list(bands)}.")
    return bands


def _usual(page: "TiffPage", source: ImageFile) -> Sequence[int]:
    count = page.samplesperpixel
    if count == 1:
        return (1,)
    if count == 3 or (page.photometric == 2 and count > 3):  # RGB, and what is beside it
        return (1, 2, 3)
    raise InvalidInputError(
        f"{name_of(source)} is {_kind(page)}; choose one or three of them, as --bands 3,2,1 of masklet segment, or "
        "masklet.read_image(path, bands=(3, 2, 1)) in Python."
    )
