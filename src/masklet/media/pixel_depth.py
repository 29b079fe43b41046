"""Pixels deeper than 8 bits as 8 bits: which value is white, which no file states."""

from collections.abc import Callable

import numpy as np

from masklet.errors import InvalidInputError

DEPTHS = (8, 10, 12, 14, 16)
"""The bits of cameras, microscopes and scanners, which files round up to 16."""
OVERSHOOT = 0.5
"""How far floats from 0 to 1 may reach beyond, as resizing with a sharp filter leaves them."""


def white_of(values: np.ndarray) -> float | None:
    """Return the value that stands for white in pixels of integers or floats; None if no usual one does.

    Integers hold 8, 10, 12, 14 or 16 bits: 12 if the largest is 3405, whose white is 4095. Floats are 0 to 1 (up to
    0.5 beyond) or else 0 to 255. None for negative values, and for those above all of these.

    Raises:
        InvalidInputError: if there are no values, or NaN or infinite ones.
    """
    if values.size == 0:
        raise InvalidInputError(f"The image has no pixels: its shape is {list(values.shape)}.")
    if not np.isfinite(values).all():
        raise InvalidInputError("The image contains NaN or infinite values.")
    low, high = values.min(), values.max()
    if values.dtype.kind == "f" and low >= -OVERSHOOT and high <= 1 + OVERSHOOT:
        return 1.0
    usual = (255.0,) if values.dtype.kind == "f" else tuple(2.0**bits - 1 for bits in DEPTHS)
    return next((white for white in usual if low >= 0 and high <= white), None)


def white_of_video(frames: int, white_of_frame: Callable[[int], float | None]) -> float | None:
    """Return the white of all frames of a video, that none be brighter for what it holds: of its first, middle, last.

    None if that of the first is, as in most videos; no other is read then.
    """
    first = white_of_frame(0)
    if first is None:
        return None
    others = (white_of_frame(frame) for frame in (frames // 2, frames - 1))
    return max(first, *(white for white in others if white is not None), first)


def scaled_to_8_bit(values: np.ndarray, white: float | None = None) -> np.ndarray:
    """Return deep pixel values as uint8: from 0..`white`, clipped, or else 0..`white_of`, or else their own range.

    Raises:
        InvalidInputError: if there are NaN or infinite values.
    """
    own = white_of(values)
    low, high = 0.0, own if white is None else white
    values = values.astype(np.float64)
    if high is None:
        low, high = values.min(), values.max()
    scaled = np.round((values - low) * (255.0 / (high - low or 1.0)))
    return np.asarray(scaled.clip(0, 255), np.uint8)
