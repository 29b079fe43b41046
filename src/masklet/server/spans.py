"""Stretches of frames (first, last) as sorted lists without overlaps; integers only."""

from collections.abc import Iterable, Sequence

Spans = Sequence[tuple[int, int]]


def joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the frames that are in any of the spans."""
    found: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return found


def without(spans: Spans, removed: Spans) -> list[tuple[int, int]]:
    """Return the frames of some spans that are not in the others."""
    left = list(spans)
    for start, end in removed:
        before = [(first, min(last, start - 1)) for first, last in left]
        after = [(max(first, end + 1), last) for first, last in left]
        left = sorted({(first, last) for first, last in (*before, *after) if first <= last})
    return left


def common(spans: Spans, others: Spans) -> list[tuple[int, int]]:
    """Return the frames that are in both."""
    return [part for first, last in others for part in clipped(spans, first, last)]


def within(spans: Spans, frame: int) -> bool:
    """Return whether a frame is in one of the spans."""
    return any(first <= frame <= last for first, last in spans)


def clipped(spans: Spans, first: int, last: int) -> list[tuple[int, int]]:
    """Return the frames of some spans that lie from `first` to `last`."""
    return [(max(start, first), min(end, last)) for start, end in spans if start <= last and end >= first]


def spans_of(frames: Iterable[int]) -> list[tuple[int, int]]:
    """Return the spans of single frames."""
    return joined((frame, frame) for frame in frames)
