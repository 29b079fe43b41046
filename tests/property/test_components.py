"""Filling holes and removing specks against a flood fill written out."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from masklet.masks.components import fill_holes_and_remove_specks

masks = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9))
areas = st.integers(0, 8)


def small_by_flood_fill(inside: np.ndarray, max_area: int) -> np.ndarray:
    small, seen = np.zeros_like(inside), set()
    for start in map(tuple, np.argwhere(inside)):
        component, open_pixels = set(), [start]
        while open_pixels:
            row, column = open_pixels.pop()
            if (row, column) in seen or not (0 <= row < inside.shape[0] and 0 <= column < inside.shape[1]):
                continue
            if inside[row, column]:
                seen.add((row, column))
                component.add((row, column))
                open_pixels += [(row + down, column + right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
        if len(component) <= max_area:
            for pixel in component:
                small[pixel] = True
    return small


@given(masks, areas, areas, st.sampled_from([0.0, -1.5, 2.0]))
def test_exactly_the_small_components_change_sides(mask: np.ndarray, hole: int, speck: int, threshold: float) -> None:
    logits = torch.from_numpy(np.where(mask, threshold + 1.0, threshold))[None]
    edited = fill_holes_and_remove_specks(logits, threshold, hole, speck)[0].numpy()
    holes, specks = small_by_flood_fill(~mask, hole), small_by_flood_fill(mask, speck)
    expected = np.where(holes, threshold + 10, np.where(specks, threshold - 10, logits[0].numpy()))
    np.testing.assert_array_equal(edited, expected)
