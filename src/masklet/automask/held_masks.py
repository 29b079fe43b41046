"""Masks that wait for suppression, most of them to be dropped: beyond some megabytes they wait on disk."""

import io
from array import array
from collections.abc import Sequence
from tempfile import SpooledTemporaryFile
from typing import overload

from masklet.closing import Closing
from masklet.masks.counts import Counts, code_of
from masklet.masks.run_length import RunLength

BYTES_IN_MEMORY = 2**25
"""Of the masks of an image: some ten thousand of usual ones. However many there are, no more of them is in memory."""


class HeldMasks(Closing):
    """Masks of one image of that (height, width), by their numbers from 0 on, until it is closed."""

    def __init__(self, size: tuple[int, int]) -> None:
        self._size = size
        self._codes = SpooledTemporaryFile(max_size=BYTES_IN_MEMORY)  # noqa: SIM115  # `close` closes it
        self._ends = array("Q", [0])

    def add(self, counts: Counts) -> int:
        """Hold a mask of checked run lengths, and return its number."""
        self._codes.write(code_of(counts).encode("ascii"))
        self._ends.append(self._codes.tell())
        return len(self._ends) - 2

    def __getitem__(self, number: int) -> RunLength:
        start, end = self._ends[number : number + 2]
        self._codes.seek(start)
        code = self._codes.read(end - start)
        self._codes.seek(0, io.SEEK_END)
        return {"size": list(self._size), "counts": code.decode("ascii")}

    def close(self) -> None:
        """Drop all masks."""
        self._codes.close()


class ChosenMasks(Sequence[RunLength]):
    """Some of the masks that are held, by their numbers; each is read when it is asked for."""

    def __init__(self, held: HeldMasks, numbers: Sequence[int]) -> None:
        self._held = held
        self._numbers = numbers

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, place: int) -> RunLength: ...
    @overload
    def __getitem__(self, place: slice) -> "ChosenMasks": ...
    def __getitem__(self, place: int | slice) -> "RunLength | ChosenMasks":
        if isinstance(place, slice):
            return ChosenMasks(self._held, self._numbers[place])
        return self._held[self._numbers[place]]
