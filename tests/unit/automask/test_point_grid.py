"""Grids of points of an image."""

import numpy as np

from masklet import Segmentation
from masklet.automask.point_grid import layer_grid, outside
from masklet.automask.settings import AutomaticMaskSettings


def test_layers_have_fewer_points() -> None:
    settings = AutomaticMaskSettings(points_per_side=9, crop_n_layers=2, crop_n_points_downscale_factor=2)
    assert [len(layer_grid(settings, layer)) for layer in range(3)] == [81, 16, 4]


def test_points_near_known_masks_are_inside() -> None:
    mask = np.zeros((20, 30), dtype=bool)
    mask[5:10, 5:10] = True
    known = Segmentation(np.stack([mask, np.zeros_like(mask)]), np.ones(2), [1, 2])
    points = np.array([(7.0, 7.0), (11.4, 7.0), (12.0, 7.0), (7.0, 2.9), (0.0, 0.0), (29.9, 19.9)])
    assert outside(known, points, reach=2.0).tolist() == [False, False, True, True, True, True]
    assert outside(known.taken([]), points, reach=2.0).all()
