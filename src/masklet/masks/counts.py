"""The counts of run lengths: how many pixels are outside, inside, outside ..., and the code COCO writes them in."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from masklet.errors import InvalidInputError
from masklet.json_files import shown, whole_number

Counts = npt.NDArray[np.int64]

LONGEST_SIDE = 2**24
MOST_PIXELS = 2**29
"""Of a mask: half a gigabyte once it is decoded. Sizes above these are no image's, and would only fill the memory."""

_FIRST, _LAST = ord("0"), ord("0") + 63
_MOST_GROUPS = 7  # 35 bits; pycocotools' own numbers have 32


def checked_size(size: object) -> tuple[int, int]:
    """Return the size [height, width] of a mask, in pixels; InvalidInputError if it is no size of an image."""
    if not isinstance(size, Sequence) or isinstance(size, str | bytes) or len(size) != 2:
        raise InvalidInputError(f"A size is [height, width]; got {shown(size)}.")
    height, width = (
        whole_number(side, name, 1, LONGEST_SIDE) for side, name in zip(size, ("The height", "The width"), strict=True)
    )
    if height * width > MOST_PIXELS:
        raise InvalidInputError(
            f"A mask has at most {MOST_PIXELS:,} pixels; {height} x {width} would be {height * width:,}."
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


def _decoded(code: str | bytes) -> Counts:
    """Return the counts of COCO's ASCII code.

    A number is written five bits at a time, the lowest first: each character is 48 + these bits, + 32 where more
    follow; the highest bit of the last five is the sign. The fourth count and those after it are written as the
    difference to the count two before.
    """
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
        raise InvalidInputError(f"The compressed counts have a number of over {5 * _MOST_GROUPS} bits.")
    bits = 5 * (np.arange(groups.size) - np.repeat(starts, lengths))
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
