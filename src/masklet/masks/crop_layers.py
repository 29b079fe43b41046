"""The layers of crops that are searched for automatic masks, their grid of points, and which masks they cut off."""

import math

import numpy as np
import numpy.typing as npt

from masklet.masks.geometry import Box
from masklet.masks.views import View

EDGE_TOLERANCE = 20.0
"""In pixels: a mask that comes so close to the edge of its crop is taken for cut off."""


def crop_views(size: tuple[int, int], layers: int, overlap_ratio: float) -> list[tuple[View, int]]:
    """Return the crops of an image with the layers they are in: the whole image (0), then column by column 4, 16, ...

    Args:
        size: (height, width) of the image.
        layers: how many there are beside the whole image.
        overlap_ratio: by how much crops of the first layer overlap, as a share of the shorter side.
    """
    height, width = size
    views = [(View(0, 0, width, height), 0)]
    for layer in range(1, layers + 1):
        a_side = 2**layer
        overlap = int(overlap_ratio * min(size) * (2 / a_side))
        across, down = (math.ceil((overlap * (a_side - 1) + side) / a_side) for side in (width, height))
        for left in ((across - overlap) * number for number in range(a_side)):
            for top in ((down - overlap) * number for number in range(a_side)):
                views.append((View(left, top, min(left + across, width), min(top + down, height)), layer))
    return [(view, layer) for view, layer in views if min(view.size) > 0]  # tiny images have no pixel for some


def point_grid(points_per_side: int) -> npt.NDArray[np.float64]:
    """Return a regular grid of n x n points (x, y) in 0..1, [n * n, 2], row by row; the outer ones lie 1 / 2n inside.

    Example:
        >>> point_grid(2).tolist()
        [[0.25, 0.25], [0.75, 0.25], [0.25, 0.75], [0.75, 0.75]]
    """
    places = (np.arange(points_per_side) + 0.5) / points_per_side
    rows, columns = np.meshgrid(places, places, indexing="ij")
    return np.stack([columns.ravel(), rows.ravel()], axis=1)


def is_cut_off(box: Box, view: View, size: tuple[int, int]) -> bool:
    """Whether a box comes close to an edge of its crop that is not near the same edge of the image (height, width)."""
    height, width = size
    of_crop, of_image = (view.left, view.top, view.right, view.bottom), (0, 0, width, height)
    return any(
        abs(edge - crop) <= EDGE_TOLERANCE < abs(edge - image)
        for edge, crop, image in zip(box, of_crop, of_image, strict=True)
    )
