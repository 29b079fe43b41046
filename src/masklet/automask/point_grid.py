"""Where an image is prompted: the grid of each layer of crops, and which of its points masks cover already."""

import numpy as np
import numpy.typing as npt

from masklet.automask.settings import AutomaticMaskSettings
from masklet.masks.crop_layers import point_grid
from masklet.masks.segmentation import Segmentation

Points = npt.NDArray[np.float64]


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
