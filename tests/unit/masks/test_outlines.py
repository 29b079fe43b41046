"""Outlines of masks give the masks back, in every program that fills them."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageDraw

from masklet.masks.outlines import joined, pieces_of
from masklet.masks.polygons import counts_of_polygons
from masklet.masks.run_length import mask_of

masks = st.tuples(st.integers(1, 9), st.integers(1, 9)).flatmap(lambda s: arrays(np.bool_, s, fill=st.booleans()))


def filled_by_opencv(outlines, size):
    drawn = np.zeros(size, dtype=np.uint8)
    for each in outlines:
        cv2.fillPoly(drawn, [each.astype(np.int32)], 1)
    return drawn.astype(bool)


def filled_by_pillow(outlines, size):
    image = Image.new("1", size[::-1])
    for each in outlines:
        ImageDraw.Draw(image).polygon([tuple(point) for point in each.tolist()], outline=1, fill=1)
    return np.asarray(image)


def filled_by_pycocotools(outlines, size):
    return mask_of(counts_of_polygons(outlines, *size), *size)


@pytest.mark.parametrize("fill", [filled_by_opencv, filled_by_pillow, filled_by_pycocotools])
@settings(deadline=None, max_examples=60)
@given(masks)
def test_pixels_come_back_but_for_holes(fill, mask):
    pieces = pieces_of(mask)
    count, labels = cv2.connectedComponents((~np.pad(mask, 1)).astype(np.uint8), connectivity=4)
    assert len(pieces) == cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)[0] - 1
    assert sum(piece.hole_count for piece in pieces) == max(0, count - 2)
    filled = fill([piece.outline for piece in pieces], mask.shape)
    np.testing.assert_array_equal(filled, (labels != labels[0, 0])[1:-1, 1:-1])


@settings(deadline=None, max_examples=60)
@given(masks.filter(np.any))
def test_joined_pieces_enclose_the_same(mask):
    outlines = [piece.outline for piece in pieces_of(mask)]
    apart, together = (filled_by_pycocotools(each, mask.shape) for each in (outlines, [joined(outlines)]))
    np.testing.assert_array_equal(apart, together)


def test_the_largest_piece_is_the_first():
    mask = np.zeros((8, 12), dtype=bool)
    mask[1, 1] = mask[3:7, 5:11] = True
    first, second = pieces_of(mask)
    assert first.outline.tolist() == [[5.25, 3.25], [5.25, 6.75], [10.75, 6.75], [10.75, 3.25]]
    assert second.outline.min() == 1.25
