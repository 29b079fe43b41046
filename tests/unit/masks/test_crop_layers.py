"""Grids of points and crops of an image."""

import numpy as np
import pytest

from masklet.masks.crop_layers import crop_views, is_cut_off, point_grid
from masklet.masks.views import View


def test_points_lie_in_the_middles_of_cells_row_by_row() -> None:
    assert point_grid(2).tolist() == [[0.25, 0.25], [0.75, 0.25], [0.25, 0.75], [0.75, 0.75]]
    assert point_grid(1).tolist() == [[0.5, 0.5]]


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


@pytest.mark.parametrize(
    ("box", "is_cut"),
    [
        ((46, 46, 53, 53), False),
        ((45, 46, 53, 53), True),  # 20 pixels from the left edge
        ((46, 45, 53, 53), True),
        ((46, 46, 55, 53), True),
        ((46, 46, 53, 54), False),
        ((46, 46, 53, 90), False),  # the image ends there, too
    ],
)
def test_boxes_near_an_edge_of_their_crop_are_cut_off(box: tuple[int, ...], is_cut: bool) -> None:
    assert is_cut_off(box, View(25, 25, 75, 95), (100, 100)) is is_cut
