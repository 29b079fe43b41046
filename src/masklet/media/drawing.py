"""What overlays and mask files share: one colour per object id, and the order in which masks that overlap are drawn."""

import colorsys

import numpy as np

from masklet.masks.segmentation import Segmentation

Colour = tuple[int, int, int]  # red, green and blue, 0 to 255

GOLDEN_RATIO = 0.618034


def object_colour(object_id: int) -> Colour:
    """Return the RGB colour (0 to 255) of `object_id`, black for the background 0.

    The hue advances by the golden ratio, so that neighbouring ids always differ well, and further ids fill the gaps.
    """
    if object_id == 0:
        return 0, 0, 0
    hue = (0.58 + GOLDEN_RATIO * (object_id - 1)) % 1.0
    lightness = (0.52, 0.66, 0.42)[(object_id - 1) // 5 % 3]
    red, green, blue = colorsys.hls_to_rgb(hue, lightness, 0.9)
    return round(255 * red), round(255 * green), round(255 * blue)


def largest_first(segmentation: Segmentation) -> list[int]:
    """Return the places of the masks by descending area, those of one area in their order.

    Drawn in this order, no mask is hidden by one that is larger than it.
    """
    places: list[int] = np.argsort(-segmentation.areas, kind="stable").tolist()
    return places
