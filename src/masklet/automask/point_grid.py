"""Where an image is prompted: grids of points, and the crops that are looked at beside the whole image."""

import math

import numpy as np
import numpy.typing as npt

from masklet.automask.settings import AutomaticMaskSettings
from masklet.masks.segmentation import Segmentation
from masklet.masks.views import View

Points = npt.NDArray[np.float64]


def point_grid(points_per_side: int) -> Points:
    """Return a regular grid of n x n points (x, y) in 0..1, [n * n, 2], row by row; the outer ones lie 1 / 2n inside.

    Example:
        >>> point_grid(2).tolist()
        [[0.25, 0.25], [0.75, 0.25], [0.25, 0.75], [0.75, 0.75]]
    """
    places = (np.arange(points_per_side) + 0.5) / points_per_side
    rows, columns = np.meshgrid(places, places, indexing="ij")
    return np.stack([columns.ravel(), rows.ravel()], axis=1)


def layer_grid(settings: AutomaticMaskSettings, layer: int) -> Points:
    """Return the points [n, 2] in 0..1 of a crop in a layer, 0 being the whole image."""
    if settings.point_grids is not None:
        return np.array(settings.point_grids[layer])
    assert settings.points_per_side is not None
    return point_grid(settings.points_on_a_side(settings.points_per_side, layer))


def outside(known: Segmentation, points: Points, reach: float) -> npt.NDArray[np.bool_]:
    """Return which points [n, 2], in pixels, lie outside masks that are known, bool [n].

    Those that come closer to a mask than `reach` pixels, across or down, count as inside: at its outline they would
    prompt nothing but the rim.
    """
    covered = np.zeros(known.size, dtype=bool)
    for index in range(len(known)):
        covered |= known.mask(index)
    firsts, lasts = (np.maximum(np.floor(points + step).astype(int), 0) for step in (-reach, reach))
    windows = zip(firsts.tolist(), lasts.tolist(), strict=True)
    return np.array([not covered[y1 : y2 + 1, x1 : x2 + 1].any() for (x1, y1), (x2, y2) in windows], dtype=bool)


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
