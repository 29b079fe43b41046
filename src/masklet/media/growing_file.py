"""A temporary file that only grows, of which a forked process has its own copy once it uses it."""

import os
import tempfile
from typing import IO

PIECE = 2**20  # bytes read at once


class GrowingFile:
    """Bytes that are appended to and read by their places, in a temporary file that goes when it is closed.

    One thread may append while others read. A forked process continues with a copy, so that it changes nothing of its
    parent's file, nor the position in it, which the two would share.
    """

    def __init__(self) -> None:
        self.size = 0
        self._begin()

    def append(self, content: bytes) -> int:
        """Add `content` and return the place where it begins; after an OSError it is not there."""
        self._go_on_with_a_copy_after_a_fork()
        place, written = self.size, 0
        while written < len(content):
            written += _write_at(self._file, content[written:], place + written)
        self.size = place + written
        return place

    def read(self, start: int, size: int) -> bytes:
        """Return `size` bytes from `start` on, or as many as there are."""
        self._go_on_with_a_copy_after_a_fork()
        return _read_at(self._file, start, min(size, self.size - start))

    def close(self) -> None:
        """Delete the file; in a forked process only its copy."""
        self._file.close()

    def _begin(self) -> None:
        self._process = os.getpid()
        # Unbuffered: a forked process would write what is left in a buffer when it ends.
        self._file: IO[bytes] = tempfile.TemporaryFile("w+b", buffering=0)  # noqa: SIM115  # deleted when it is closed

    def _go_on_with_a_copy_after_a_fork(self) -> None:
        if self._process == os.getpid():
            return
        with self._file as inherited:
            size, self.size = self.size, 0
            self._begin()
            for start in range(0, size, PIECE):
                self.append(_read_at(inherited, start, min(PIECE, size - start)))


def _read_at(file: IO[bytes], start: int, size: int) -> bytes:
    if hasattr(os, "pread"):  # not on Windows, where nothing forks
        return os.pread(file.fileno(), size, start)
    file.seek(start)
    return file.read(size)


def _write_at(file: IO[bytes], content: bytes, start: int) -> int:
    if hasattr(os, "pwrite"):
        return os.pwrite(file.fileno(), content, start)
    file.seek(start)
    return file.write(content)
