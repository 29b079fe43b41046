"""The results of a job of many items, kept line by line, so that a job that was killed is resumed."""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Generic, Protocol, Self, TypeVar

from masklet.atomic_files import made_folder
from masklet.errors import InvalidInputError
from masklet.folders import matching
from masklet.json_files import shown

FILE_NAME, PARTS = "finished{}.jsonl", "finished_*_of_*.jsonl"
NAME, FINGERPRINT = "name", "state"


class ItemResult(Protocol):
    """What came of an item, as a journal keeps it."""

    def to_dict(self) -> dict[str, Any]:
        """Return what `from_dict` reads, of kinds that JSON knows."""

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """Read what `to_dict` gave; InvalidInputError if it is something else."""


Result = TypeVar("Result", bound=ItemResult)


def file_fingerprint(files: Iterable[Path]) -> str:
    """Return what changes when one of `files` is written anew: a hash of their names, sizes and modification times.

    A file that is missing has a fingerprint, too.
    """
    return hashlib.sha256(repr([_state(path) for path in files]).encode()).hexdigest()


def _state(path: Path) -> tuple[str, int, int]:
    try:
        status = path.stat()
    except FileNotFoundError:
        return str(path.absolute()), -1, 0
    return str(path.absolute()), status.st_size, status.st_mtime_ns


class ItemJournal(Generic[Result]):
    """The results in `folder/finished.jsonl`: the settings on its first line, then one result a line.

    Beside each result stands the fingerprint of the files that it was made from. A line that was not written to its
    end, because the program was killed, is dropped. Machines that share the folder add to a file each, and read all.

    Args:
        folder: made if it does not exist.
        settings: what the results depend on, of kinds that JSON knows.
        files: returns the files that an item is made from.
        kind: the class of the results.
        older_settings: names of settings in journals of earlier versions, with those of today.
        shard: which of how many machines adds results here; None: the only one.

    Raises:
        InvalidInputError: if the file was begun with other settings, or holds something else.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        settings: Mapping[str, Any],
        files: Callable[[str], Iterable[Path]],
        kind: type[Result],
        older_settings: Mapping[str, str] = MappingProxyType({}),
        shard: tuple[int, int] | None = None,
    ) -> None:
        self.path = Path(folder) / FILE_NAME.format("" if shard is None else "_{}_of_{}".format(*shard))
        self._files, self._kind = files, kind
        self._fingerprints: dict[str, str] = {}
        made_folder(self.path.parent)
        self._settings, self._older = json.loads(json.dumps(settings)), older_settings
        self._finished: dict[str, tuple[str, Result]] = {}
        for path in {self.path.with_name(FILE_NAME.format("")), *matching(self.path.parent, PARTS)} - {self.path}:
            self._know(path, _whole_lines(path))
        if not self._know(self.path, _whole_lines(self.path, is_own=True)):
            self._append(self._settings)

    def get(self, name: str) -> Result | None:
        """Return the result of an item, or None if there is none, or its files have changed since."""
        self._fingerprints[name] = file_fingerprint(self._files(name))
        fingerprint, result = self._finished.get(name, ("", None))
        return result if fingerprint == self._fingerprints[name] else None

    def add(self, name: str, result: Result) -> None:
        """Keep the result of an item, made from its files as they were at `get`; on disk when this returns."""
        fingerprint = self._fingerprints[name]
        self._finished[name] = fingerprint, result
        self._append({FINGERPRINT: fingerprint, NAME: name} | result.to_dict())

    def _read(self, path: Path, line: Any) -> tuple[str, str, Result]:
        try:
            return line[NAME], line[FINGERPRINT], self._kind.from_dict(line)
        except (InvalidInputError, KeyError, TypeError) as error:
            raise InvalidInputError(
                f"{path} holds a line that is no result of this job ({error}); delete the file to begin anew."
            ) from error

    def _know(self, path: Path, lines: list[Any]) -> bool:
        """Take what a file holds, and return whether it was begun."""
        if lines and (known := _renamed(lines[0], self._older)) != self._settings:
            raise InvalidInputError(
                f"{path} was begun with other settings ({_difference(known, self._settings)}); choose another "
                "folder, or delete this one."
            )
        self._finished |= {name: (state, result) for name, state, result in map(partial(self._read, path), lines[1:])}
        return bool(lines)

    def _append(self, content: dict[str, Any]) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(content) + "\n")
            file.flush()
            os.fsync(file.fileno())


def _whole_lines(path: Path, *, is_own: bool = False) -> list[Any]:
    """Read the lines that are whole; what follows them is removed from a file that nobody else writes."""
    if not path.exists():
        return []
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if is_own and len(whole) < len(content):
        os.truncate(path, len(whole))
    try:
        return [json.loads(line) for line in whole.splitlines()]
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(f"{path} is damaged ({error}); delete it to begin anew.") from error


def _renamed(settings: Any, names: Mapping[str, str]) -> Any:
    if not isinstance(settings, dict):
        return settings
    return {names.get(name, name): value for name, value in settings.items()}


def _difference(known: Any, wanted: dict[str, Any]) -> str:
    if not isinstance(known, dict):
        return "it is no such file"
    names = [name for name in known.keys() | wanted.keys() if known.get(name) != wanted.get(name)]
    return ", ".join(f"{name}: {shown(known.get(name))}, now {shown(wanted.get(name))}" for name in sorted(names))
