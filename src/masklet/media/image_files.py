"""Opening image files safely: the one place where the package meets an image file, and the limit on its pixels."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

from masklet.errors import InvalidInputError, UnreadableImageError

ImageFile = str | os.PathLike[str] | BinaryIO
LIMIT_VARIABLE = "MASKLET_MAX_IMAGE_PIXELS"
HOW_TO_RAISE = (
    f"If you trust it, raise the limit: --max-image-pixels, the environment variable {LIMIT_VARIABLE}, or "
    "masklet.set_max_image_pixels."
)


_own_limit_of_raised: dict[int | None, int | None] = {}
"""Pillow's own limit by what `_raise_limit_of_pillow` raised it to in this process; empty if it did not."""


class UnknownImageKindError(UnreadableImageError):
    """A file in a format, or with pixels of a kind, that Pillow does not read."""


def set_max_image_pixels(pixels: int | None) -> None:
    """Set how many pixels an image file may have: images, masks and frames of any command or class.

    A small file can decode to gigabytes (a decompression bomb), so that files above the limit are refused by their
    header. The limit is kept in the environment variable `MASKLET_MAX_IMAGE_PIXELS`, so that worker processes have it,
    too. Where it is above the limit of Pillow, the limit of Pillow in this process is raised with it, until None
    restores it.

    Args:
        pixels: height x width of the largest image, say 400_000_000; None: that of Pillow, twice
            `PIL.Image.MAX_IMAGE_PIXELS`, 178,956,970 if nobody changed it.

    Raises:
        InvalidInputError: if it is not a whole number above 0.
    """
    if pixels is None:
        os.environ.pop(LIMIT_VARIABLE, None)
        Image.MAX_IMAGE_PIXELS = _pillows_own_limit()
    else:
        os.environ[LIMIT_VARIABLE] = str(_checked(str(pixels), "max_image_pixels"))


def max_image_pixels() -> int | None:
    """Return how many pixels an image file may have; None if Pillow's limit was switched off and no other is set.

    InvalidInputError if the environment variable is not a whole number above 0.
    """
    own = os.environ.get(LIMIT_VARIABLE)
    if own is not None:
        return _checked(own, f"The environment variable {LIMIT_VARIABLE}")
    pillows = _pillows_own_limit()
    return None if pillows is None else 2 * pillows


def _pillows_own_limit() -> int | None:
    """The limit of Pillow before it was raised here; what anybody else set since then counts."""
    return _own_limit_of_raised.get(Image.MAX_IMAGE_PIXELS, Image.MAX_IMAGE_PIXELS)


@contextmanager
def opened_image(source: ImageFile, kind: str = "image") -> Iterator[Image.Image]:
    """Open an image file by its header; its pixels are decoded when the `with` block first asks for them.

    Everything in the package that decodes an image file does it inside this block, so that the limit on pixels holds
    for all of them, and a broken file is one kind of error.

    Args:
        source: a path, or a binary file open for reading.
        kind: what the file is meant to be, for error messages: "image", "mask", "label map".

    Raises:
        UnreadableImageError: if there is no such file, it is not an image, has more than `max_image_pixels`, or if
            anything goes wrong inside the block, as Pillow tells a broken file by errors of many kinds.
        InvalidInputError: if the limit in the environment is not a number.
    """
    name = name_of(source)
    limit = max_image_pixels()
    _raise_limit_of_pillow(limit)
    try:
        with Image.open(source) as image:
            check_pixels(source, image.width, image.height, kind)
            yield image
    except UnreadableImageError:
        raise
    except FileNotFoundError:
        raise UnreadableImageError(f"No such {kind} file: {name}") from None
    except UnidentifiedImageError:
        raise UnknownImageKindError(f"Not an image in a known format: {name}{_kind_of_tiff(source)}") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        reason = str(error).partition(", could be")[0]
        raise UnreadableImageError(f"The {kind} {name} is too large: {reason}. {HOW_TO_RAISE}") from None
    except Exception as error:
        is_unknown = isinstance(error, ValueError) and "raw mode" in str(error)  # Pillow's word for some TIFF
        raised = UnknownImageKindError if is_unknown else UnreadableImageError
        raise raised(f"Cannot read the {kind} {name}: {str(error) or type(error).__name__}") from error


def _kind_of_tiff(source: ImageFile) -> str:
    from masklet.media.tiff_files import is_tiff, kind_of  # which opens files by what is above

    return f" ({kind_of(source)})" if is_tiff(source) else ""


def check_pixels(source: ImageFile, width: int, height: int, kind: str = "image") -> None:
    """Raise UnreadableImageError if a file of this size has no pixels, or more than `max_image_pixels`."""
    if width < 1 or height < 1:
        raise UnreadableImageError(f"The {kind} {name_of(source)} has no pixels: it is {width} x {height}.")
    limit = max_image_pixels()
    if limit is not None and width * height > limit:
        size = f"{width} x {height} pixels, more than the {limit:,} allowed"
        raise UnreadableImageError(f"The {kind} {name_of(source)} is too large: {size}. {HOW_TO_RAISE}")


def _raise_limit_of_pillow(limit: int | None) -> None:
    """Until `set_max_image_pixels(None)`: reset after each file, it would be wrong in other threads and forks.

    Up to this number of pixels Pillow is silent, up to twice as many it warns; the check of `opened_image` comes first.
    """
    pillows, own = Image.MAX_IMAGE_PIXELS, _pillows_own_limit()
    if LIMIT_VARIABLE in os.environ and limit is not None and pillows is not None and limit > pillows:
        _own_limit_of_raised.clear()
        _own_limit_of_raised[limit] = own
        Image.MAX_IMAGE_PIXELS = limit


def _checked(text: str, name: str) -> int:
    try:
        pixels = int(text)
    except ValueError:
        pixels = 0
    if pixels < 1:
        raise InvalidInputError(f"{name} must be a whole number of pixels above 0, got {text!r}.")
    return pixels


def name_of(source: ImageFile) -> str:
    """Return what messages call an image file."""
    if isinstance(source, str | os.PathLike):
        return os.fspath(source)
    return str(getattr(source, "name", "<open file>"))
