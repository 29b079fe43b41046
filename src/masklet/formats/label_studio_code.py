"""The code in which Label Studio keeps what was drawn with its brush: bits of runs of R, G, B and A bytes.

The head is 32 bits, the number of bytes; 5 bits, the bits of a value less one; four times 4 bits, how many bits the
length of a run may have, less one. Then records: one bit whether the next values are all equal, 2 bits which of the
four sizes is used, the length of the run less one, and one value, or as many as the run is long. Every pixel is four
values.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from masklet.errors import InvalidInputError
from masklet.masks.counts import Counts, counts_of_mask
from masklet.masks.run_length import mask_of, row_counts

_CHANNELS, _WORD, _INSIDE = 4, 8, 255
_SIZES = (3, 4, 8, 16)
_LONGEST = 2 ** _SIZES[-1]
_HEAD_BITS = 32 + 5 + 4 * len(_SIZES)


def brush_code(counts: Counts, height: int, width: int) -> list[int]:
    """Return the code, bytes as numbers, of a mask by its COCO counts; memory grows with the runs, not the pixels."""
    runs = row_counts(mask_of(counts, height, width))
    bits = [f"{_CHANNELS * height * width:032b}", f"{_WORD - 1:05b}", *(f"{size - 1:04b}" for size in _SIZES)]
    for place, pixels in enumerate(runs.tolist()):
        value = f"{_INSIDE * (place % 2):08b}"
        left = _CHANNELS * pixels
        while left:
            length = min(left, _LONGEST)
            which = next(index for index, size in enumerate(_SIZES) if length <= 2**size)
            bits.append(f"1{which:02b}{length - 1:0{_SIZES[which]}b}{value}")
            left -= length
    text = "".join(bits)
    text += "0" * (-len(text) % _WORD)
    return list(int(text, 2).to_bytes(len(text) // _WORD))


def counts_of_brush_code(code: object, height: int, width: int) -> Counts:
    """Return the COCO counts of a mask of that size by its code; pixels of at least half the full alpha are inside.

    InvalidInputError if it is no such code, or of another number of pixels.
    """
    reader = _Bits(_bytes_of(code))
    count = reader.take(32)
    if count != _CHANNELS * height * width:
        raise InvalidInputError(
            f"The brush holds {count} values; {height} x {width} pixels of four channels are "
            f"{_CHANNELS * height * width}."
        )
    word = reader.take(5) + 1
    if word != _WORD:
        raise InvalidInputError(f"The values of a brush have {_WORD} bits; got {word}.")
    sizes = [reader.take(4) + 1 for _ in _SIZES]
    alpha = np.zeros(count, dtype=np.uint8)
    place = 0
    while place < count:
        is_run, length = reader.take(1), reader.take(sizes[reader.take(2)]) + 1
        if length > count - place:
            raise InvalidInputError(f"The brush holds more than its {count} values.")
        values = reader.take(_WORD) if is_run else reader.values(length)
        alpha[place : place + length] = values
        place += length
    return counts_of_mask(alpha[_CHANNELS - 1 :: _CHANNELS].reshape(height, width) > _INSIDE // 2)


def _bytes_of(code: object) -> bytes:
    try:
        if isinstance(code, Sequence) and not isinstance(code, str):
            return bytes(code)
    except (TypeError, ValueError):
        pass
    raise InvalidInputError("The code of a brush is a list of numbers from 0 to 255.")


class _Bits:
    """Bits that are taken one after the other, the highest of each byte first."""

    def __init__(self, content: bytes) -> None:
        self._content, self._place = content, 0

    def take(self, count: int) -> int:
        """Return the next bits as a number."""
        end = self._place + count
        if end > 8 * len(self._content):
            raise InvalidInputError("The code of the brush has been cut off.")
        first, last = self._place // 8, -(-end // 8)
        number = int.from_bytes(self._content[first:last]) >> (8 * last - end)
        self._place = end
        return number & ((1 << count) - 1)

    def values(self, count: int) -> npt.NDArray[np.uint8]:
        """Return the next bytes, which need not begin where those of the code do."""
        return np.frombuffer(self.take(8 * count).to_bytes(count), dtype=np.uint8)
