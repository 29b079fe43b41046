"""A table on disk that is filled row by row and read column by column: frames in, what each object did out."""

from collections import defaultdict
from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

from masklet.closing import Closing
from masklet.media.growing_file import GrowingFile

MOST_HELD = 2**20  # bytes in memory, of all columns together
Key = TypeVar("Key", bound=Hashable)


class ColumnsOnDisk(Closing, Generic[Key]):
    """Columns by their keys, to each of which bytes are appended, in a temporary file.

    Close it, or use it as a context.

    Args:
        most_held: bytes that are held in memory before they are written.
    """

    def __init__(self, most_held: int = MOST_HELD) -> None:
        self._most_held, self._held_bytes = most_held, 0
        self._held: dict[Key, bytearray] = defaultdict(bytearray)
        self._pieces: dict[Key, list[tuple[int, int]]] = defaultdict(list)  # where they begin, and how long they are
        self._file = GrowingFile()

    def append(self, key: Key, content: bytes) -> None:
        """Add to a column."""
        self._held[key] += content
        self._held_bytes += len(content)
        if self._held_bytes > self._most_held:
            self._write()

    def column(self, key: Key) -> Iterator[bytes]:
        """Yield what was added to a column, in pieces of any length."""
        for place, size in self._pieces.get(key, ()):
            yield self._file.read(place, size)
        yield bytes(self._held.get(key, b""))

    def close(self) -> None:
        """Delete the file."""
        self._file.close()

    def _write(self) -> None:
        for key, held in self._held.items():
            self._pieces[key].append((self._file.append(bytes(held)), len(held)))
        self._held.clear()
        self._held_bytes = 0
