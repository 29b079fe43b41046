import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from masklet.errors import InvalidInputError
from masklet.formats.label_studio_code import brush_code, counts_of_brush_code
from masklet.masks.counts import counts_of_mask

MASK = np.zeros((4, 6), dtype=bool)
MASK[1, 2:5] = MASK[2, 2:4] = True
CODE = [0, 0, 0, 96, 57, 27, 254, 31, 0, 183, 255, 108, 2, 127, 252, 62, 0]
"""As Label Studio's own program writes it."""


def test_the_code_is_label_studios():
    assert brush_code(counts_of_mask(MASK), *MASK.shape) == CODE
    assert counts_of_brush_code([*CODE, 0], *MASK.shape).tolist() == counts_of_mask(MASK).tolist()


@settings(deadline=None)
@given(st.tuples(st.integers(1, 40), st.integers(1, 40)).flatmap(lambda s: arrays(np.bool_, s, fill=st.booleans())))
def test_masks_come_back(mask):
    counts = counts_of_mask(mask)
    np.testing.assert_array_equal(counts_of_brush_code(brush_code(counts, *mask.shape), *mask.shape), counts)


def test_runs_longer_than_the_code_can_say_are_split():
    mask = np.ones((300, 300), dtype=bool)
    code = brush_code(counts_of_mask(mask), *mask.shape)
    assert len(code) < 30
    assert counts_of_brush_code(code, *mask.shape).tolist() == [0, 90000]


def test_values_one_by_one():
    """Records of values that differ, which a smooth brush has; from half of the full alpha on a pixel is inside."""
    head = f"{8:032b}{7:05b}" + "".join(f"{size - 1:04b}" for size in (3, 4, 8, 16))
    values = [0, 0, 0, 127, 0, 0, 0, 128]
    bits = f"{head}000{7:03b}" + "".join(f"{each:08b}" for each in values)
    code = [*int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8))]
    assert counts_of_brush_code(code, 1, 2).tolist() == [1, 1]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (CODE[:-3], "cut off"),
        ([], "cut off"),
        ([0, 0, 0, 92, *CODE[4:]], "holds 92 values; 4 x 6 pixels of four channels are 96"),
        ([0, 0, 0, 96, 0, *CODE[5:]], "have 8 bits; got 1"),
        ([*CODE[:6], 255, 255, 255, 255], "more than its 96 values"),
        ([300], "numbers from 0 to 255"),
        ("AAAA", "numbers from 0 to 255"),
        (None, "numbers from 0 to 255"),
    ],
)
def test_what_is_no_code(code, reason):
    with pytest.raises(InvalidInputError, match=reason):
        counts_of_brush_code(code, 4, 6)
