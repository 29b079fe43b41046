"""Grey images that are one object with a soft edge, although they were meant to be label maps."""

import cv2
import numpy as np
import numpy.typing as npt

WHITE = 255
FEWEST_SHADES = 3
SHADES_SHARE = 2 / 3  # of the levels; thin objects beside others look like shades, but few are as thin
BRIGHT_SHARE = 1 / 3  # labels count from 1 on, the shades of an edge reach as far up as down


def soft_mask_shades(values: npt.NDArray[np.integer]) -> int:
    """Return how many grey levels an image [H, W] has at its edges if it is a soft mask; 0 if it is none.

    A shade is a level most of whose pixels have a darker and a brighter pixel among their eight neighbours, as on a
    slope from black to white. Objects of a label map have an inside, which has not. A soft mask holds white; two thirds
    of its levels between black and white are shades, at least 3, and a third of these are brighter than mid-grey.
    Pixels deeper than 8 bits are no soft mask.
    """
    return _shades_below(values, WHITE) if values.dtype == np.uint8 and (values == WHITE).any() else 0


def is_deep_soft_mask(values: npt.NDArray[np.integer], white: int) -> bool:
    """Whether integers [H, W] up to `white`, 65535 at most, are a soft mask and no ids of which `white` is the last.

    They have shades, and white, the inside of the object, has more pixels than most levels; the last of many instances
    need not.
    """
    *between, of_white = np.bincount(values.ravel(), minlength=white + 1)[1:]
    shown = [each for each in between if each]
    return bool(shown) and of_white > np.median(shown) and _shades_below(values.astype(np.uint16), white) > 0


def _shades_below(values: npt.NDArray[np.integer], white: int) -> int:
    """Return how many levels below `white` are shades of a soft mask (uint8 or uint16 [H, W]); 0 if it is none."""
    around = np.ones((3, 3), np.uint8)
    is_between = (cv2.erode(values, around) < values) & (values < cv2.dilate(values, around))
    pixels, between = (np.bincount(each, minlength=white + 1)[1:white] for each in (values.ravel(), values[is_between]))
    shades = 1 + np.flatnonzero(2 * between > pixels)
    is_soft = len(shades) >= FEWEST_SHADES and len(shades) >= SHADES_SHARE * np.count_nonzero(pixels)
    return len(shades) if is_soft and np.mean(shades >= (white + 1) // 2) >= BRIGHT_SHARE else 0
