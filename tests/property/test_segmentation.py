"""Masks held as run lengths: what goes in comes out, and their boxes and areas are those of the masks."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pycocotools import mask as coco_mask

from masklet.masks.geometry import area, bounding_box
from masklet.masks.run_length import encode_run_length
from masklet.masks.segmentation import Segmentation

# Few pixels that are unlike the rest, so that whole columns and whole masks are inside or outside, too.
masks = st.tuples(st.integers(0, 4), st.integers(1, 7), st.integers(1, 7)).flatmap(
    lambda shape: arrays(np.bool_, shape, fill=st.booleans())
)
down_and_up = np.array([[[False, True], [True, False]]])  # one run, from the foot of a column to the head of the next


@settings(deadline=None)
@given(masks)
@example(down_and_up)
def test_masks_come_back_with_their_boxes_and_areas(dense: np.ndarray) -> None:
    held = Segmentation(dense, np.ones(len(dense)), range(1, len(dense) + 1))
    assert held.masks.dtype == np.bool_
    assert held.masks.flags.c_contiguous
    np.testing.assert_array_equal(held.masks, dense)
    assert held.areas.tolist() == [area(mask) for mask in dense]
    assert held.boxes.tolist() == [list(bounding_box(mask) or (0, 0, 0, 0)) for mask in dense]
    for place, mask in enumerate(dense):
        np.testing.assert_array_equal(held.mask(place), mask)


@settings(deadline=None)
@given(masks)
@example(down_and_up)
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")
def test_masks_are_encoded_as_pycocotools_encodes_them(dense: np.ndarray) -> None:
    for mask in dense:
        expected = coco_mask.encode(np.asfortranarray(mask, dtype=np.uint8))
        assert encode_run_length(mask) == {"size": list(mask.shape), "counts": expected["counts"].decode()}


@settings(deadline=None)
@given(masks.filter(len), st.data())
def test_some_objects_in_another_order(dense: np.ndarray, data: st.DataObject) -> None:
    ids = [place + 10 for place in range(len(dense))]
    held = Segmentation(dense, np.arange(len(dense)) / 8, ids, np.arange(4.0 * len(dense)).reshape(-1, 2, 2))
    places = data.draw(st.lists(st.integers(0, len(dense) - 1), unique=True))
    taken = held.taken(places)
    np.testing.assert_array_equal(taken.masks, dense[places])
    assert taken.object_ids == tuple(ids[place] for place in places)
    assert taken.low_resolution_logits is not None
    for found, expected in ((taken.scores, held.scores), (taken.low_resolution_logits, held.low_resolution_logits)):
        assert expected is not None
        np.testing.assert_array_equal(found, expected[places])
    rest = held.taken([place for place in range(len(dense)) if place not in places])
    both = Segmentation.joined([taken, rest])
    again = both.taken(np.argsort(both.object_ids))
    for found, expected in ((again.masks, dense), (again.areas, held.areas), (again.boxes, held.boxes)):
        np.testing.assert_array_equal(found, expected)
