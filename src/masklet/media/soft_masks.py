"""Grey pictures that are one object with a soft edge, although they were meant to be label maps."""

import cv2
import numpy as np
import numpy.typing as npt

WHITE, MID_GREY = 255, 128
FEWEST_SHADES = 3
SHADES_SHARE = 2 / 3  # of the levels; thin objects beside others look like shades, but few are as thin
BRIGHT_SHARE = 1 / 3  # labels count from 1 on, the shades of an edge reach as far up as down


def soft_mask_shades(values: npt.NDArray[np.integer]) -> int:
    """Return how many grey levels a picture [H, W] has at its edges if it is a soft mask; 0 if it is none.

    A shade is a level most of whose pixels have a darker and a brighter pixel among their eight neighbours, as on a
    slope from black to white. Objects of a label map have an inside, which has not. A soft mask holds white; two thirds
    of its levels between black and white are shades, at least 3, and a third of these are brighter than mid-grey.
    Pixels deeper than 8 bits are no soft mask.
    """
    if values.dtype != np.uint8 or not (values == WHITE).any():
        return 0
    around = np.ones((3, 3), np.uint8)
    is_between = (cv2.erode(values, around) < values) & (values < cv2.dilate(values, around))
    pixels, between = (np.bincount(each, minlength=WHITE + 1)[1:WHITE] for each in (values.ravel(), values[is_between]))
    shades = 1 + np.flatnonzero(2 * between > pixels)
    is_soft = len(shades) >= FEWEST_SHADES and len(shades) >= SHADES_SHARE * np.count_nonzero(pixels)
    return len(shades) if is_soft and np.mean(shades >= MID_GREY) >= BRIGHT_SHARE else 0
