"""How many pixels an image file may have: the package's limit, and that of Pillow, which goes with it."""

import os
from typing import BinaryIO

from PIL import Image

from masklet.environment import HOW_TO_RAISE, PIXELS_VARIABLE, checked_pixels, pixels_allowed
from masklet.errors import UnreadableImageError

ImageFile = str | os.PathLike[str] | BinaryIO

_own_limit_of_raised: dict[int | None, int | None] = {}
"""Pillow's own limit by what `raise_limit_of_pillow` raised it to in this process; empty if it did not."""


def set_max_image_pixels(pixels: int | None) -> None:
    """Set how many pixels an image file may have: images, masks and frames of any command or class.

    A small file can decode to gigabytes (a decompression bomb), so that files above the limit are refused by their
    header. The limit is kept in the environment variable `MASKLET_MAX_IMAGE_PIXELS`, so that worker processes have it,
    too. Where it is above the limit of Pillow, the limit of Pillow in this process is raised with it, until None
    restores it.

    Args:
        pixels: height x width of the largest image, such as 400_000_000; None: that of Pillow, twice
            `PIL.Image.MAX_IMAGE_PIXELS`, 178,956,970 if nobody changed it.

    Raises:
        InvalidInputError: if it is not a whole number above 0.

    Example:
        >>> from masklet import set_max_image_pixels
        >>> set_max_image_pixels(400_000_000)
        >>> set_max_image_pixels(None)  # the limit of before
    """
    if pixels is None:
        os.environ.pop(PIXELS_VARIABLE, None)
        Image.MAX_IMAGE_PIXELS = _pillows_own_limit()
    else:
        os.environ[PIXELS_VARIABLE] = str(checked_pixels(str(pixels), "max_image_pixels"))


def max_image_pixels() -> int | None:
    """Return how many pixels an image file may have; None if Pillow's limit was switched off and no other is set.

    InvalidInputError if the environment variable is not a whole number above 0.
    """
    allowed = pixels_allowed()
    if allowed is not None:
        return allowed
    pillows = _pillows_own_limit()
    return None if pillows is None else 2 * pillows


def _pillows_own_limit() -> int | None:
    """Return the limit of Pillow before it was raised here; what anybody else set since then counts."""
    return _own_limit_of_raised.get(Image.MAX_IMAGE_PIXELS, Image.MAX_IMAGE_PIXELS)


def check_pixels(source: ImageFile, width: int, height: int, kind: str = "image") -> None:
    """Raise UnreadableImageError if a file of this size has no pixels, or more than `max_image_pixels`."""
    if width < 1 or height < 1:
        raise UnreadableImageError(f"The {kind} {name_of(source)} has no pixels: it is {width} x {height}.")
    limit = max_image_pixels()
    if limit is not None and width * height > limit:
        size = f"{width} x {height} pixels, more than the {limit:,} allowed"
        raise UnreadableImageError(f"The {kind} {name_of(source)} is too large: {size}. {HOW_TO_RAISE}")


def raise_limit_of_pillow(limit: int | None) -> None:
    """Raise the limit of Pillow to this one where that is needed.

    It stays until `set_max_image_pixels(None)`: reset after each file, it would be wrong in other threads and forks.

    Up to this number of pixels Pillow is silent, up to twice as many it warns; the check of `opened_image` comes first.
    """
    pillows, own = Image.MAX_IMAGE_PIXELS, _pillows_own_limit()
    if PIXELS_VARIABLE in os.environ and limit is not None and pillows is not None and limit > pillows:
        _own_limit_of_raised.clear()
        _own_limit_of_raised[limit] = own
        Image.MAX_IMAGE_PIXELS = limit


def name_of(source: ImageFile) -> str:
    """Return what messages call an image file."""
    if isinstance(source, str | os.PathLike):
        return os.fspath(source)
    return str(getattr(source, "name", "<open file>"))
