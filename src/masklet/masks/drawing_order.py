"""The order in which masks that overlap are drawn."""

import numpy as np

from masklet.masks.segmentation import Segmentation


def largest_first(segmentation: Segmentation) -> list[int]:
    """Return the places of the masks by descending area, those of one area in their order.

    Drawn in this order, no mask is hidden by one that is larger than it.
    """
    places: list[int] = np.argsort(-segmentation.areas, kind="stable").tolist()
    return places
