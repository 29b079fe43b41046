"""Picture files, and pictures of any depth, as upright 8-bit RGB."""

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from masklet.errors import InvalidInputError
from masklet.media.image_files import ImageFile, opened_image

Pixels = npt.NDArray[np.uint8]  # [H, W, 3] RGB


def read_image(source: ImageFile) -> Image.Image:
    """Read an image file as an 8-bit RGB image, turned upright as its EXIF orientation says.

    Every format and mode that Pillow opens is accepted; `to_rgb` says how each mode is converted. Of a file with
    several images the first is read.

    Args:
        source: a path, or a binary file open for reading.

    Raises:
        UnreadableImageError: if there is no such file, it is not an image, is truncated, or has more pixels than
            `max_image_pixels`.
    """
    with opened_image(source) as image:
        image.load()  # PNG may have its EXIF data behind the pixels
        return to_rgb(ImageOps.exif_transpose(image))


def to_rgb(image: Image.Image) -> Image.Image:
    """Return an image of any Pillow mode as 8-bit RGB.

    Transparency is dropped, not composited (as `Image.convert("RGB")` does). Deeper pixels are scaled, where Pillow
    would clip them: 16-bit integers from 0..65535; floats from 0..1 if all lie there, else from 0..255; integers and
    floats beyond these ranges from their own minimum and maximum.

    Raises:
        InvalidInputError: if a float image contains NaN or infinite values.
    """
    if image.mode == "RGB":
        return image
    if image.mode.startswith("I") or image.mode == "F":
        return Image.fromarray(scaled_to_8_bit(np.asarray(image))).convert("RGB")
    if image.mode == "La":  # Pillow converts it to nothing else
        image = image.convert("LA")
    if "transparency" in image.info:  # dropping it in one step makes Pillow warn
        image = image.convert("RGBA")
    return image.convert("RGB")


def scaled_to_8_bit(values: np.ndarray) -> np.ndarray:
    """Return deep pixel values as uint8, scaled from their range as `to_rgb` describes; nothing is clipped.

    Raises:
        InvalidInputError: if there are NaN or infinite values.
    """
    if not np.isfinite(values).all():
        raise InvalidInputError("The picture contains NaN or infinite values.")
    usual_maxima = (65535.0,) if np.issubdtype(values.dtype, np.integer) else (1.0, 255.0)
    values = values.astype(np.float64)
    low, high = values.min(), values.max()
    fitting = [maximum for maximum in usual_maxima if low >= 0 and high <= maximum]
    if fitting:
        low, high = 0.0, fitting[0]
    scaled: np.ndarray = np.round((values - low) * (255.0 / (high - low or 1.0))).astype(np.uint8)
    return scaled
