"""Masks that wait for suppression, most of them to be dropped: beyond some megabytes they wait on disk."""

import io
from array import array
from tempfile import SpooledTemporaryFile

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
