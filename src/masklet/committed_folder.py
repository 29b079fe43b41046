"""Folders that change in one step: first data files are written, then one index file is renamed, and makes them count.

The data files only grow, or are new ones. A kill at any moment leaves what the index named last, bit by bit.
"""

import errno
import json
import os
import re
import uuid
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Self

from masklet.atomic_files import made_folder, remove_unfinished, sync, written_whole
from masklet.closing import Closing
from masklet.errors import InvalidInputError
from masklet.file_locks import LOCK_FILE, alone_in
from masklet.json_files import CHECKSUM, checksum_of, read_json, shown, whole_number

_DATA_FILE = re.compile(r"[a-z]+-[0-9a-f]{32}(-[0-9]+)*\.(jsonl|safetensors)")
_PIECE = 2**20

PartInJson = list[Any]


@dataclass(frozen=True)
class Part:
    """What counts of a data file: its first `size` bytes, whose CRC-32 is `checksum`."""

    file: str
    size: int
    checksum: int

    def to_json(self) -> PartInJson:
        """Return this part as plain JSON, for an index or a data file."""
        return [self.file, self.size, self.checksum]

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Return the part that `to_json` described; InvalidInputError for anything else."""
        if not isinstance(value, list) or len(value) != 3 or not _is_data_file(value[0]):
            raise InvalidInputError(f"A part of a data file is [its name, bytes, CRC-32]; got {shown(value)}.")
        return cls(value[0], whole_number(value[1], "The number of bytes"), whole_number(value[2], "The CRC-32"))


class FolderWriter(Closing):
    """Writes a folder in commits; nothing that an earlier commit named is touched before the next one counts.

    After an error `begin_anew`. Close it, or use it as a context. It belongs to the process that made it: one that is
    forked from that writes nothing, and leaves the folder alone.

    Args:
        folder: made if it does not exist, and held until the writer is closed.
        index: name of the file that makes the others count.
        work: what is done in the folder, for messages.
        is_durable: whether a commit has to survive a power failure, which costs a write to the disk itself for each
            file; otherwise a commit that did not is found out by its checksums. A kill it survives anyway.

    Raises:
        InvalidInputError: if somebody else holds the folder.
        OSError: if it cannot be written, or belongs to the process that this one was forked from.
    """

    def __init__(self, folder: str | os.PathLike[str], index: str, work: str, *, is_durable: bool = True) -> None:
        self.folder = Path(folder)
        self._index, self._process, self._is_durable = index, os.getpid(), is_durable
        self._is_new = not self.folder.exists()
        self._files, self._holding = ExitStack(), ExitStack()
        self._pending: set[str] = set()  # files that no commit can have named yet
        self.begin_anew()
        made_folder(self.folder)
        self._holding.enter_context(alone_in(self.folder, work))
        remove_unfinished(self.folder)

    def begin_anew(self) -> None:
        """Forget all files of this writer, of which some may be incomplete; the last commit counts until the next."""
        self._check_process()
        self._remove_pending()
        self._own = uuid.uuid4().hex
        self._count = 0
        self._growing: dict[str, _GrowingFile] = {}
        self._superseded: list[str] = []
        self._has_committed = False

    def append(self, name: str, content: bytes) -> None:
        """Add to the file that grows under `name`: lower-case letters, and the suffix jsonl or safetensors."""
        self._check_process()
        if name not in self._growing:
            self._growing[name] = self._files.enter_context(_GrowingFile(self._new_path(name)))
        self._growing[name].append(content)

    def size(self, name: str) -> int:
        """Return how many bytes were appended under `name`."""
        return self._growing[name].part.size if name in self._growing else 0

    def part(self, name: str) -> Part:
        """Return what was appended under `name`, to be named in the next commit; begins the file if need be."""
        self.append(name, b"")
        return self._growing[name].part

    def put(self, name: str, write: Callable[[Path], object]) -> Part:
        """Return a new file that `write` made, to be named in the next commit; `name` is as for `append`."""
        self._check_process()
        path = self._new_path(name)
        write(path)
        if self._is_durable:
            sync(path)
        return Part(path.name, path.stat().st_size, _checksum(path, path.stat().st_size))

    def supersede(self, part: Part) -> None:
        """Let go of a file once the next commit, which does not name it any more, counts."""
        self._superseded.append(part.file)

    def commit(self, content: Mapping[str, Any]) -> None:
        """Make everything written so far count, together with `content`, which names the parts and holds plain JSON."""
        self._check_process()
        if self._is_durable:
            for each in self._growing.values():
                each.sync()
            sync(self.folder)
        self._pending.clear()
        with written_whole(self.folder / self._index, durable=self._is_durable) as unfinished:
            text = json.dumps({**content, CHECKSUM: checksum_of(content)}, indent=1)
            unfinished.write_text(text, encoding="utf-8")
        self._is_new = False
        self._remove_superseded()

    def discard(self) -> None:
        """Remove the folder, but for files that are not its own."""
        self._check_process()
        self._files.close()
        for name in (self._index, *self._data_files()):  # without its index the folder counts no more
            (self.folder / name).unlink(missing_ok=True)
        self._is_new = True
        self.close()

    def close(self) -> None:
        """Let go of the folder; what was not committed goes, and a new folder without any commit."""
        if self._process != os.getpid():
            return
        self._remove_pending()
        if self._is_new:
            (self.folder / LOCK_FILE).unlink(missing_ok=True)
            with suppress(OSError):  # somebody else has put something there
                self.folder.rmdir()
        self._holding.close()
        self._is_new = False

    def _check_process(self) -> None:
        if self._process != os.getpid():
            raise OSError(errno.EPERM, "this is written by the process that this one was forked from", str(self.folder))

    def _remove_pending(self) -> None:
        self._files.close()
        while self._pending:
            (self.folder / self._pending.pop()).unlink(missing_ok=True)

    def _remove_superseded(self) -> None:
        if not self._has_committed:
            self._superseded += [name for name in self._data_files() if self._own not in name]
            self._has_committed = True
        while self._superseded:
            (self.folder / self._superseded.pop()).unlink(missing_ok=True)

    def _data_files(self) -> list[str]:
        return [path.name for path in self.folder.iterdir() if _is_data_file(path.name)]

    def _new_path(self, name: str) -> Path:
        self._count += 1
        stem, _, suffix = name.partition(".")
        path = self.folder / f"{stem}-{self._own}-{self._count}.{suffix}"
        self._pending.add(path.name)
        return path


class _GrowingFile:
    """A file that is appended to, and what counts of it."""

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("xb")
        self.part = Part(path.name, 0, 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # what a full disk did not take counts nowhere
            self._file.close()

    def append(self, content: bytes) -> None:
        self._file.write(content)
        self._file.flush()  # a forked process would write what is left in the buffer when it ends
        checksum = zlib.crc32(content, self.part.checksum)
        self.part = Part(self.part.file, self.part.size + len(content), checksum)

    def sync(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())


def read_index(path: Path) -> tuple[dict[str, Any], bool]:
    """Return what an index holds, and whether it had a checksum, as all have but those of older formats.

    InvalidInputError if it is no index, or was changed.
    """
    if path.exists() and not path.is_file():
        raise InvalidInputError(f"{path} is no file.")  # reading a pipe would wait for ever
    content = read_json(path)
    if not isinstance(content, dict):
        raise InvalidInputError(f"{path} must hold an object; got {shown(content)}.")
    if CHECKSUM not in content:
        return content, False
    if content.pop(CHECKSUM) != checksum_of(content):
        raise InvalidInputError(f"{path} is damaged: its checksum is another one.")
    return content, True


def checked_file(folder: Path, part: Part) -> Path:
    """Return the path of a data file, of which all counts; InvalidInputError if it is damaged or missing."""
    path = folder / part.file
    _check(path, part)
    if path.stat().st_size != part.size:
        raise InvalidInputError(f"{path} is damaged: it has {path.stat().st_size} bytes, not {part.size}.")
    return path


def checked_lines(folder: Path, part: Part) -> Iterator[bytes]:
    """Yield the lines of what counts of a file that grew; InvalidInputError if it is damaged or missing."""
    path = folder / part.file
    _check(path, part)
    left = part.size
    with path.open("rb") as file:
        while left > 0:
            line = file.readline(left)
            left -= len(line)
            yield line


def _check(path: Path, part: Part) -> None:
    if not path.is_file():
        raise InvalidInputError(f"{path} is missing.")
    if _checksum(path, part.size) != part.checksum:
        raise InvalidInputError(f"{path} is damaged: its checksum is another one.")


def _checksum(path: Path, size: int) -> int:
    """Return the CRC-32 of the first `size` bytes of a file, or of all if it is shorter."""
    checksum = 0
    with path.open("rb") as file:
        while size > 0 and (piece := file.read(min(size, _PIECE))):
            checksum, size = zlib.crc32(piece, checksum), size - len(piece)
    return checksum


def _is_data_file(name: object) -> bool:
    return isinstance(name, str) and _DATA_FILE.fullmatch(name) is not None
