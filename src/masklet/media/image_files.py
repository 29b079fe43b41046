"""Opening image files safely: the one place where the package meets an image file."""

from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image, UnidentifiedImageError

from masklet.environment import HOW_TO_RAISE
from masklet.errors import UnreadableImageError
from masklet.media.pixel_limit import (
    ImageFile,
    check_pixels,
    max_image_pixels,
    name_of,
    raise_limit_of_pillow,
)
from masklet.media.tiff_files import is_tiff, kind_of


class UnknownImageKindError(UnreadableImageError):
    """A file in a format, or with pixels of a kind, that Pillow does not read."""


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
            anything goes wrong inside the block, as Pillow raises errors of many kinds for a broken file.
        InvalidInputError: if the limit in the environment is not a number.
    """
    name = name_of(source)
    limit = max_image_pixels()
    raise_limit_of_pillow(limit)
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
    return f" ({kind_of(source)})" if is_tiff(source) else ""
