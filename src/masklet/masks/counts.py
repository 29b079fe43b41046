"""The counts of run lengths: how many pixels are outside, inside, outside ..., and the code COCO writes them in."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from masklet.environment import HOW_TO_RAISE, pixels_allowed
from masklet.errors import InvalidInputError
from masklet.json_files import shown, whole_number
from masklet.masks.geometry import Box, Mask

Counts = npt.NDArray[np.int64]

LONGEST_SIDE = 2**24
MOST_PIXELS = 2**29
"""Of a mask, where the environment sets no limit: half a gigabyte once it is decoded."""
_MOST_AT_ALL = 2**32 - 1  # pycocotools' own numbers have 32 bits

_FIRST, _LAST = ord("0"), ord("0") + 63
_MOST_GROUPS = 7  # 35 bits; pycocotools' own numbers have 32
_BITS = 5  # of a group


def checked_size(size: object) -> tuple[int, int]:
    """Return the size [height, width] of a mask, in pixels; InvalidInputError if it is no size of an image."""
    size = size.tolist() if isinstance(size, np.ndarray) else size
    if not isinstance(size, Sequence) or isinstance(size, str | bytes) or len(size) != 2:
        raise InvalidInputError(f"A size is [height, width]; got {shown(size)}.")
    height, width = (
        whole_number(side, name, 1, LONGEST_SIDE) for side, name in zip(size, ("The height", "The width"), strict=True)
    )
    allowed = min(pixels_allowed() or MOST_PIXELS, _MOST_AT_ALL)
    if height * width > allowed:
        raise InvalidInputError(
            f"A mask has at most {allowed:,} pixels; {height} x {width} would be {height * width:,}. {HOW_TO_RAISE}"
        )
    return height, width


def counts_from(counts: object, height: int, width: int) -> Counts:
    """Return the counts of run lengths as COCO has them, compressed (text) or not (a list), int64 [R].

    InvalidInputError unless they are whole numbers, none negative, which sum to height x width.
    """
    found = _decoded(counts) if isinstance(counts, str | bytes) else _whole_numbers(counts)
    if found.size and (found.min() < 0 or found.max() > height * width):
        place = int(np.flatnonzero((found < 0) | (found > height * width))[0])
        raise InvalidInputError(
            f"Count {place + 1} of {found.size} is {found[place]}; each is from 0 to {height * width}, the pixels of "
            f"{height} x {width}."
        )
    if int(found.sum()) != height * width:
        raise InvalidInputError(f"The counts sum to {found.sum()} pixels; {height} x {width} has {height * width}.")
    return found


def counts_of_mask(mask: Mask) -> Counts:
    """Return the counts of a mask (bool [H, W]), int64 [R]; only what lies in its bounding box is looked at twice."""
    height, width = mask.shape
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    if not columns.size:
        return np.array([height * width], dtype=np.int64)
    left, right, top, bottom = columns[0], columns[-1] + 1, rows[0], rows[-1] + 1
    # Each column of the box with a pixel outside above and below, so that all changes are within a column.
    framed = np.zeros((right - left, bottom - top + 2), dtype=bool)
    framed[:, 1:-1] = mask[top:bottom, left:right].T
    flat = framed.ravel()
    column, row = np.divmod(np.flatnonzero(flat[1:] != flat[:-1]), framed.shape[1])
    changes = (column + left) * height + row + top
    return counts_of_runs(changes[::2], changes[1::2], height * width)


def counts_of_runs(starts: npt.NDArray[np.integer], ends: npt.NDArray[np.integer], pixels: int) -> Counts:
    """Return the counts of runs of pixels, which lie one after the other, in an image of so many pixels, int64 [R].

    Args:
        starts: the first pixel of each run [n], counted column by column.
        ends: the pixel behind the last [n]. Runs that touch, as from one column to the next, become one.
        pixels: of the image.
    """
    is_apart = starts[1:] != ends[:-1]
    firsts = starts[np.concatenate(([True], is_apart))[: len(starts)]]
    lasts = ends[np.concatenate((is_apart, [True]))[: len(ends)]]
    changes = np.stack([firsts, lasts], axis=1).ravel()
    return np.diff(changes[changes < pixels], prepend=0, append=pixels).astype(np.int64)


def area_of(counts: Counts) -> int:
    """Return the number of pixels inside."""
    return int(counts[1::2].sum())


def box_of(counts: Counts, height: int) -> Box | None:
    """Return the tight box (x1, y1, x2, y2) along pixel edges, of a mask of that height; None if it is empty."""
    edges = np.cumsum(counts)
    starts, ends = edges[: len(counts) // 2 * 2 : 2], edges[1::2]
    is_inside = ends > starts
    if not is_inside.any():
        return None
    (first, top), (last, bottom) = np.divmod(starts[is_inside], height), np.divmod(ends[is_inside] - 1, height)
    if (first < last).any():  # from one column to the next: through the lowest pixel and the uppermost
        return float(first[0]), 0.0, float(last[-1] + 1), float(height)
    return float(first[0]), float(top.min()), float(last[-1] + 1), float(bottom.max() + 1)


def code_of(counts: Counts) -> str:
    """Return COCO's ASCII code of counts.

    A number is written five bits at a time, the lowest first: each character is 48 + these bits, + 32 where more
    follow; the highest bit of the last five is the sign. The fourth count and those after it are written as the
    difference to the count two before.
    """
    left = counts.copy()
    left[3:] -= counts[1:-2]
    symbols = np.zeros((len(counts), _MOST_GROUPS), dtype=np.uint8)  # 0: none
    follows = np.ones(len(counts), dtype=bool)
    for place in range(_MOST_GROUPS):
        group, left = left & 31, left >> _BITS
        is_written, follows = follows, follows & (left != -(group >> 4))
        symbols[:, place] = np.where(is_written, _FIRST + group + 32 * follows, 0)
    return symbols[symbols > 0].tobytes().decode("ascii")


def _decoded(code: str | bytes) -> Counts:
    """Return the counts of COCO's ASCII code, as `code_of` describes it."""
    symbols = np.frombuffer(code.encode("utf-8", "surrogatepass") if isinstance(code, str) else code, dtype=np.uint8)
    if not symbols.size:
        raise InvalidInputError("The compressed counts are empty.")
    if symbols.min() < _FIRST or symbols.max() > _LAST:
        place = int(np.flatnonzero((symbols < _FIRST) | (symbols > _LAST))[0])
        raise InvalidInputError(
            f"The compressed counts have a character that is none of the code at place {place + 1}."
        )
    groups = symbols.astype(np.int64) - _FIRST
    ends = np.flatnonzero(groups < 32)
    if not ends.size or ends[-1] != groups.size - 1:
        raise InvalidInputError("The last number of the compressed counts is unfinished: the code has been cut off.")
    starts = np.concatenate(([0], ends[:-1] + 1))
    lengths = ends - starts + 1
    if lengths.max() > _MOST_GROUPS:
        raise InvalidInputError(f"The compressed counts have a number of over {_BITS * _MOST_GROUPS} bits.")
    bits = _BITS * (np.arange(groups.size) - np.repeat(starts, lengths))
    numbers = np.add.reduceat((groups & 31) << bits, starts)
    numbers -= ((groups[ends] & 16) << 1) << (bits[ends])
    numbers[1::2], numbers[2::2] = np.cumsum(numbers[1::2]), np.cumsum(numbers[2::2])
    return numbers


def _whole_numbers(counts: object) -> Counts:
    try:
        values = np.asarray(counts)
    except (ValueError, OverflowError, RecursionError):
        values = np.empty((), dtype=object)
    is_whole = values.dtype.kind in "iu" or (values.dtype.kind == "f" and bool((values == np.floor(values)).all()))
    if values.ndim != 1 or not is_whole or not bool((np.abs(values) < 2.0**53).all()):
        raise InvalidInputError(f"The counts must be whole numbers, or COCO's code of them; got {shown(counts)}.")
    return values.astype(np.int64)
