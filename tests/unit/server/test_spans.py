"""Stretches of frames against sets of frames."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from masklet.server.spans import clipped, joined, spans_of, within, without

SPANS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 5)).map(lambda each: (each[0], each[0] + each[1])))


def frames(spans: list[tuple[int, int]]) -> set[int]:
    return {frame for first, last in spans for frame in range(first, last + 1)}


@given(SPANS, SPANS)
def test_as_sets(some: list[tuple[int, int]], others: list[tuple[int, int]]) -> None:
    whole = joined(some)
    assert frames(whole) == frames(some)
    assert all(before[1] + 1 < after[0] for before, after in pairwise(whole))
    assert frames(without(whole, others)) == frames(some) - frames(others)
    assert frames(clipped(whole, 5, 20)) == frames(some) & set(range(5, 21))
    assert spans_of(frames(some)) == whole
    assert all(within(whole, frame) == (frame in frames(some)) for frame in range(40))
