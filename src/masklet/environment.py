"""What environment variables set for a process and all that it starts."""

import os

from masklet.errors import InvalidInputError

PIXELS_VARIABLE = "MASKLET_MAX_IMAGE_PIXELS"
HOW_TO_RAISE = (
    f"If you trust it, raise the limit: --max-image-pixels, the environment variable {PIXELS_VARIABLE}, or "
    "masklet.set_max_image_pixels."
)


def pixels_allowed() -> int | None:
    """Return how many pixels images and masks may have; None if the environment does not say.

    InvalidInputError if it is not a whole number above 0.
    """
    text = os.environ.get(PIXELS_VARIABLE)
    return None if text is None else checked_pixels(text, f"The environment variable {PIXELS_VARIABLE}")


def checked_pixels(text: str, name: str) -> int:
    """Return a number of pixels; InvalidInputError, with `name`, if it is not a whole number above 0."""
    try:
        pixels = int(text)
    except ValueError:
        pixels = 0
    if pixels < 1:
        raise InvalidInputError(f"{name} must be a whole number of pixels above 0, got {text!r}.")
    return pixels
