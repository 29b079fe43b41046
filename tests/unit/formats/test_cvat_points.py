import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from masklet.errors import InvalidInputError
from masklet.formats.cvat_points import mask_of_points, points_of_mask


def test_points_are_cvats():
    mask = np.zeros((4, 6), dtype=bool)
    mask[1, 2:5] = mask[2, 2:4] = True
    assert points_of_mask(mask) == [0, 5, 1, 2, 1, 4, 2]
    assert points_of_mask(mask & False) == [1, 0, 0, 0, 0]


@settings(deadline=None)
@given(st.tuples(st.integers(1, 9), st.integers(1, 9)).flatmap(lambda s: arrays(np.bool_, s, fill=st.booleans())))
def test_masks_come_back(mask):
    np.testing.assert_array_equal(mask_of_points(points_of_mask(mask), *mask.shape), mask)


@pytest.mark.parametrize(
    ("points", "reason"),
    [
        ([0, 5, 1], "runs and four sides"),
        ([0, 5, 1, 2, 1, 6, 2], "is not within 6 x 4"),
        ([0, 5, 1, 4, 1, 2, 2], "is not within 6 x 4"),
        ([0, 5, 2, 2, 1, 4, 2], "counts sum to 7 pixels"),
        ([0, 5, 1, 2.5, 1, 4, 2], "A side of a mask's box"),
    ],
)
def test_what_is_no_mask(points, reason):
    with pytest.raises(InvalidInputError, match=reason):
        mask_of_points(points, 4, 6)
