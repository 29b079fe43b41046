"""Large JSON files with one long list, the entries of which are decoded when they are asked for."""

import json
import mmap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from masklet.errors import InvalidInputError
from masklet.json_files import read_json

LARGE = 2**25
"""In bytes; smaller files are read whole."""

_WINDOW = 2**22
_SPACE = " \t\n\r"


class IndexedList(Sequence[Any]):
    """The entries of a list in a JSON file, by where each stands there.

    Args:
        path: the file, which must not be changed meanwhile.
        spans: int64 [n, 2], the first byte of each entry and the one behind its last.
    """

    def __init__(self, path: Path, spans: Sequence[tuple[int, int]]) -> None:
        self._path, self._spans = path, np.array(spans, dtype=np.int64).reshape(-1, 2)

    def __len__(self) -> int:
        return len(self._spans)

    def __getitem__(self, place: Any) -> Any:
        with self._path.open("rb") as file:
            return self._decoded(file, self._spans[place])

    def __iter__(self) -> Iterator[Any]:
        with self._path.open("rb") as file:
            yield from (self._decoded(file, span) for span in self._spans)

    def _decoded(self, file: BinaryIO, span: npt.NDArray[np.int64]) -> Any:
        start, end = span.tolist()
        file.seek(start)
        try:
            return json.loads(file.read(end - start))
        except ValueError as error:
            raise InvalidInputError(f"{self._path}: the entry at byte {start} is broken ({error}).") from error


def read_with_list(path: Path, name: str) -> tuple[Any, Sequence[Any] | None]:
    """Return what a JSON file holds, without a list in it if the file is large, and that list.

    Args:
        path: the file, as `read_json` reads it.
        name: of the list, in the outermost object.

    Returns:
        The content, and the list; None if there is none.

    Raises:
        InvalidInputError: as `read_json` does.
    """
    if path.is_file() and path.stat().st_size >= LARGE:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            try:
                return _Scanner(content, name).scanned(path)
            except (ValueError, IndexError, RecursionError):
                pass  # in another encoding, or damaged: reading it whole says where
    whole = read_json(path)
    found = whole.get(name) if isinstance(whole, dict) else None
    return whole, found if isinstance(found, list) else None


class _Scanner:
    """Goes through a JSON object in UTF-8; ValueError for anything else.

    Bytes are taken for characters: what structures JSON is ASCII, and places stay those in the file.
    """

    def __init__(self, content: mmap.mmap, name: str) -> None:
        self._content, self._name = content, name
        self._decoder = json.JSONDecoder()
        self._start, self._text = 0, ""
        self._place = 3 if content[:3] == b"\xef\xbb\xbf" else 0

    def scanned(self, path: Path) -> tuple[dict[str, Any], Sequence[Any] | None]:
        """Return the object without the list, and the list."""
        found: dict[str, Any] = {}
        entries: Sequence[Any] | None = None
        self._take("{")
        while not self._takes("}"):
            key = self._entry()
            if not isinstance(key, str):
                raise ValueError("A name is text.")
            self._take(":")
            if key == self._name and self._next() == "[":
                entries = IndexedList(path, [*self._spans()])
            else:
                start = self._place
                self._entry()
                found[key] = json.loads(self._content[start : self._place])
            if not self._takes(","):
                self._take("}")
                break
        if self._next(or_end=True):
            raise ValueError("There is more behind the object.")
        return found, entries

    def _spans(self) -> Iterator[tuple[int, int]]:
        self._take("[")
        while not self._takes("]"):
            self._next()
            start = self._place
            self._entry()
            yield start, self._place
            if not self._takes(","):
                self._take("]")
                return

    def _entry(self) -> Any:
        """Decode the value at this place, with bytes as characters, and go behind it."""
        self._next()
        size = _WINDOW
        while True:
            self._read(size)
            is_all = self._start + len(self._text) >= len(self._content)
            try:
                value, end = self._decoder.raw_decode(self._text, self._place - self._start)
            except ValueError:
                if is_all:
                    raise
            else:
                if is_all or end < len(self._text):  # a number may go on behind
                    self._place = self._start + end
                    return value
            size = max(2 * size, 2 * len(self._text))

    def _next(self, *, or_end: bool = False) -> str:
        """Go to the next character that is no space, and return it."""
        while self._place < len(self._content):
            character = chr(self._content[self._place])
            if character not in _SPACE:
                return character
            self._place += 1
        if or_end:
            return ""
        raise ValueError("The file has been cut off.")

    def _takes(self, character: str) -> bool:
        if self._next() != character:
            return False
        self._place += 1
        return True

    def _take(self, character: str) -> None:
        if not self._takes(character):
            raise ValueError(f"Expected {character!r}.")

    def _read(self, size: int) -> None:
        """Hold at least so many bytes from this place on, or a quarter of them if they are held already."""
        held = self._start + len(self._text) - self._place
        reaches_end = self._start + len(self._text) >= len(self._content)
        if self._place < self._start or (held < size // 4 and not reaches_end) or (size > _WINDOW and held < size):
            self._start = self._place
            self._text = self._content[self._place : self._place + size].decode("latin-1")
