"""COCO's code of run lengths: read as pycocotools reads it where it is whole, refused where it is not."""

import re

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from masklet.errors import InvalidInputError
from masklet.masks.counts import counts_from
from masklet.masks.run_length import decode_run_length

# pycocotools converts its result in a way that numpy 2 warns about.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")

counts = st.lists(st.integers(0, 40) | st.integers(0, 70_000), min_size=1, max_size=30)


def written(numbers):
    """The code of these counts, number by number as its description has it."""
    code = ""
    for place, number in enumerate(numbers):
        left = number - (numbers[place - 2] if place > 2 else 0)
        while True:
            group, left = left & 31, left >> 5
            is_last = left == (-1 if group & 16 else 0)
            code += chr(48 + group + (0 if is_last else 32))
            if is_last:
                break
    return code


def read(code):
    """The counts of a code, character by character; None if it is unfinished or has characters of its own."""
    numbers, value, bits = [], 0, 0
    for each in code:
        group = ord(each) - 48
        if not 0 <= group < 64:
            return None
        value, bits = value | (group & 31) << bits, bits + 5
        if group < 32:
            value -= (group >> 4 & 1) << bits
            numbers.append(value + (numbers[-2] if len(numbers) > 2 else 0))
            value, bits = 0, 0
    return None if bits or not numbers else numbers


def is_sound(numbers, pixels):
    return numbers is not None and min(numbers) >= 0 and sum(numbers) == pixels


@settings(deadline=None)
@given(counts)
def test_whole_codes_are_read_as_pycocotools_reads_them(numbers):
    assume(sum(numbers))
    code, size = written(numbers), [sum(numbers), 1]
    assert counts_from(code, *size).tolist() == numbers
    reference = coco_mask.decode({"size": size, "counts": code.encode()})
    np.testing.assert_array_equal(decode_run_length({"size": size, "counts": code}), np.array(reference, dtype=bool))


@settings(deadline=None)
@given(counts, st.data())
def test_a_code_that_was_cut_off_or_changed_is_refused_or_says_what_stands_there(numbers, data):
    assume(sum(numbers))
    code, pixels = written(numbers), sum(numbers)
    place = data.draw(st.integers(0, len(code) - 1))
    changed = data.draw(
        st.sampled_from([code[:place], code[:place] + code[place + 1 :]])
        | st.characters(max_codepoint=127).map(lambda each: code[:place] + each + code[place + 1 :])
    )
    found = read(changed)
    if is_sound(found, pixels):
        assert counts_from(changed, pixels, 1).tolist() == found
    else:
        with pytest.raises(InvalidInputError):
            counts_from(changed, pixels, 1)


@settings(deadline=None)
@given(st.text(alphabet=st.characters(min_codepoint=47, max_codepoint=112), max_size=40), st.integers(1, 10**6))
@example("PPPPPPPP0", 1)
def test_any_text_is_refused_or_says_what_stands_there(text, pixels):
    found = read(text)
    try:
        decoded = counts_from(text, pixels, 1).tolist()
    except InvalidInputError:
        assert not is_sound(found, pixels) or re.search("[P-o]{7}", text)  # a number of over 35 bits
    else:
        assert decoded == found
