import numpy as np
import pytest

from masklet.media.display_matrix import turned

PIXELS = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
ONE = 1 << 16


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ([[ONE, 0], [0, ONE]], PIXELS),
        ([[-ONE, 0], [0, -ONE]], PIXELS[::-1, ::-1]),
        ([[-ONE, 0], [0, ONE]], PIXELS[:, ::-1]),
        ([[ONE, 0], [0, -ONE]], PIXELS[::-1]),
        ([[0, ONE], [-ONE, 0]], np.rot90(PIXELS, -1)),  # clockwise: a phone held upright
        ([[0, -ONE], [ONE, 0]], np.rot90(PIXELS)),
        ([[0, ONE], [ONE, 0]], PIXELS.swapaxes(0, 1)),
        ([[0, -ONE], [-ONE, 0]], PIXELS.swapaxes(0, 1)[::-1, ::-1]),
        ([[ONE, 700], [-700, ONE]], PIXELS),
    ],
)
def test_quarters_and_mirrors(matrix, expected):
    full = np.zeros((3, 3), np.int32)
    full[:2, :2] = matrix
    result = turned(PIXELS, full)
    np.testing.assert_array_equal(result, expected)
    assert result.flags.c_contiguous
