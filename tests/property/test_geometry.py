import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from masklet.masks.geometry import area, bounding_box, center_point
from masklet.masks.run_length import decode_run_length, encode_run_length
from masklet.prompts.simulated_annotator import corrective_click

shapes = st.tuples(st.integers(1, 24), st.integers(1, 24))
masks = arrays(np.bool_, shapes)
pairs = shapes.flatmap(lambda shape: st.tuples(arrays(np.bool_, shape), arrays(np.bool_, shape)))


@settings(deadline=None)
@given(masks)
def test_center_point_has_the_greatest_distance_to_the_outside(mask):
    point = center_point(mask)
    if point is None:
        assert not mask.any()
        return
    x, y = point
    outside = np.argwhere(~np.pad(mask, 1)) - 1
    inside = np.argwhere(mask)
    distances = np.sqrt(((inside[:, None] - outside[None]) ** 2).sum(-1)).min(1)
    own = np.sqrt(((outside - (y, x)) ** 2).sum(-1)).min()
    assert mask[y, x]
    np.testing.assert_allclose(own, distances.max(), atol=1e-5)


@settings(deadline=None)
@given(masks)
def test_bounding_box_is_tight(mask):
    box = bounding_box(mask)
    if box is None:
        assert not mask.any()
        return
    x, y, width, height = cv2.boundingRect(mask.astype(np.uint8))
    assert box == (x, y, x + width, y + height)


@settings(deadline=None)
@given(masks)
def test_run_lengths_round_trip(mask):
    run_length = encode_run_length(mask)
    assert run_length["size"] == list(mask.shape)
    np.testing.assert_array_equal(decode_run_length(run_length), mask)


@settings(deadline=None)
@given(pairs)
def test_corrective_click_hits_an_error_of_the_larger_kind(pair):
    truth, predicted = pair
    click = corrective_click(truth, predicted)
    if click is None:
        np.testing.assert_array_equal(truth, predicted)
        return
    assert truth[click.y, click.x] == bool(click.label)
    assert predicted[click.y, click.x] != truth[click.y, click.x]
    kind, other = (truth & ~predicted, predicted & ~truth)[:: 1 if click.label else -1]
    assert area(kind) >= area(other)
