"""Grids of points and crops of an image."""

import numpy as np
import pytest

from masklet import Segmentation
from masklet.automask.point_grid import crop_views, layer_grid, outside, point_grid
from masklet.automask.settings import AutomaticMaskSettings
from masklet.masks.views import View


def test_points_lie_in_the_middles_of_cells_row_by_row() -> None:
    assert point_grid(2).tolist() == [[0.25, 0.25], [0.75, 0.25], [0.25, 0.75], [0.75, 0.75]]
    assert point_grid(1).tolist() == [[0.5, 0.5]]


def test_layers_have_fewer_points() -> None:
    settings = AutomaticMaskSettings(points_per_side=9, crop_n_layers=2, crop_n_points_downscale_factor=2)
    assert [len(layer_grid(settings, layer)) for layer in range(3)] == [81, 16, 4]


def test_crops_are_metas() -> None:
    """Recorded: an image of 500 x 375 pixels (height x width)."""
    views = [view for view, _ in crop_views((500, 375), 1, 512 / 1500)]
    assert views == [
        View(0, 0, 375, 500),
        View(0, 0, 252, 314),
        View(0, 186, 252, 500),
        View(124, 0, 375, 314),
        View(124, 186, 375, 500),
    ]


def test_points_near_known_masks_are_inside() -> None:
    mask = np.zeros((20, 30), dtype=bool)
    mask[5:10, 5:10] = True
    known = Segmentation(np.stack([mask, np.zeros_like(mask)]), np.ones(2), [1, 2])
    points = np.array([(7.0, 7.0), (11.4, 7.0), (12.0, 7.0), (7.0, 2.9), (0.0, 0.0), (29.9, 19.9)])
    assert outside(known, points, reach=2.0).tolist() == [False, False, True, True, True, True]
    assert outside(known.taken([]), points, reach=2.0).all()


@pytest.mark.parametrize("size", [(1, 1), (50, 20_000), (3, 5), (600, 800)])
def test_crops_cover_the_image_and_none_is_empty(size: tuple[int, int]) -> None:
    views = crop_views(size, 3, 0.3)
    for layer in range(1, 4):
        covered = np.zeros(size, dtype=bool)
        for view, its_layer in views:
            assert min(view.size) > 0
            if its_layer == layer:
                view.of(covered)[:] = True
        assert covered.all()
