"""Filling holes and removing specks against a flood fill written out."""

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from masklet.masks.components import (
    enclosed_holes,
    fill_enclosed_holes,
    fill_holes_and_remove_specks,
    without_small_regions,
)

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


def within_outer_outlines(mask: np.ndarray) -> np.ndarray:
    """The mask and all its holes: what a flood from outside the image does not reach, 8-connected."""
    outside = np.pad(mask, 1).astype(np.uint8)
    cv2.floodFill(outside, None, (0, 0), 2, flags=8)
    return (outside != 2)[1:-1, 1:-1]


shares = st.floats(0, 1)


@given(masks, shares)
def test_filling_enclosed_holes_changes_nothing_outside_and_filling_twice_nothing_more(
    mask: np.ndarray, share: float
) -> None:
    holes = enclosed_holes(mask, share)
    solid = within_outer_outlines(mask)
    assert not (holes & (mask | ~solid)).any()
    assert np.array_equal(within_outer_outlines(mask | holes), solid)
    assert not enclosed_holes(mask | holes, share).any()
    assert np.array_equal(mask | enclosed_holes(mask, 1.0), solid)
    sizes = small_by_flood_fill(solid & ~mask, int(share * solid.sum()))
    assert np.array_equal(holes, sizes)


@given(
    arrays(np.float32, st.tuples(st.integers(2, 9), st.integers(2, 9)), elements=st.floats(-4, 4, width=16)),
    st.integers(2, 60),
    st.integers(2, 60),
    shares,
)
def test_enlarged_masks_keep_their_outer_outline(logits: np.ndarray, height: int, width: int, share: float) -> None:
    given_logits = torch.from_numpy(logits)[None]
    size = (max(height, logits.shape[0]), max(width, logits.shape[1]))
    before, after = (
        (F.interpolate(each[None], size, mode="bilinear")[0, 0] > 0).numpy()
        for each in (given_logits, fill_enclosed_holes(given_logits, share))
    )
    assert not (before & ~after).any()
    assert not (after & ~within_outer_outlines(before)).any()


@given(masks, st.tuples(*[st.integers(0, 12)] * 4), st.integers(0, 20))
def test_small_regions_of_a_mask_with_background_around(
    mask: np.ndarray, around: tuple[int, int, int, int], area: int
) -> None:
    """Only a window around the mask is looked at; here it is the whole image."""
    mask = np.pad(mask, (around[:2], around[2:]))
    holes = small_by_flood_fill(~mask, area - 1)
    filled = mask | holes
    islands = small_by_flood_fill(filled, area - 1)
    cleaned, is_changed = without_small_regions(mask, area)
    if not mask.any():
        assert not cleaned.any()
    elif (filled & ~islands).any():
        np.testing.assert_array_equal(cleaned, filled & ~islands)
    else:
        assert cleaned.any()
        assert not (cleaned & ~filled).any()
    assert is_changed == bool(mask.any() and (holes.any() or islands.any()))
