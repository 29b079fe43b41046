"""What an evaluation has finished, kept line by line so that one which was killed goes on where it was."""

import json
import os
from pathlib import Path
from typing import Any

from masklet.errors import InvalidInputError
from masklet.evaluation.measured_item import MeasuredItem

FILE_NAME = "finished.jsonl"
STATE = "state"


class FinishedItems:
    """The items in `folder/finished.jsonl`: the settings on its first line, then one item a line.

    Beside each item stands the state of the files that it was measured from. A line that was not written to its end,
    because the program was killed, is dropped.

    Args:
        folder: made if it does not exist.
        settings: what the values depend on, of kinds that JSON knows.

    InvalidInputError if the file was begun with other settings, or holds something else.
    """

    def __init__(self, folder: str | os.PathLike[str], settings: dict[str, Any]) -> None:
        self.path = Path(folder) / FILE_NAME
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lines = self._whole_lines()
        wanted = json.loads(json.dumps(settings))
        if lines and lines[0] != wanted:
            raise InvalidInputError(
                f"{self.path} was begun with other settings ({_difference(lines[0], wanted)}); choose another "
                "folder, or delete this one."
            )
        if not lines:
            self._append(wanted)
        self._items = {item.name: (state, item) for state, item in map(self._finished, lines[1:])}

    def get(self, name: str, state: str) -> MeasuredItem | None:
        """Return a finished item, or None if there is none, or its files had another state."""
        known_state, item = self._items.get(name, ("", None))
        return item if known_state == state else None

    def add(self, item: MeasuredItem, state: str) -> None:
        """Keep an item that was measured from files of that state, on disk when this returns."""
        self._items[item.name] = state, item
        self._append({STATE: state} | item.to_dict())

    def _finished(self, line: Any) -> tuple[str, MeasuredItem]:
        try:
            return line[STATE], MeasuredItem.from_dict(line)
        except (InvalidInputError, KeyError, TypeError) as error:
            raise InvalidInputError(
                f"{self.path} holds a line that is no measured picture or video ({error}); delete the file to measure "
                "again."
            ) from error

    def _whole_lines(self) -> list[Any]:
        if not self.path.exists():
            return []
        content = self.path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            os.truncate(self.path, len(whole))
        try:
            return [json.loads(line) for line in whole.splitlines()]
        except (ValueError, RecursionError) as error:
            raise InvalidInputError(f"{self.path} is damaged ({error}); delete it to measure again.") from error

    def _append(self, content: dict[str, Any]) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(content) + "\n")
            file.flush()
            os.fsync(file.fileno())


def _difference(known: Any, wanted: dict[str, Any]) -> str:
    if not isinstance(known, dict):
        return "it is no such file"
    names = [name for name in known.keys() | wanted.keys() if known.get(name) != wanted.get(name)]
    return ", ".join(f"{name}: {known.get(name)!r}, now {wanted.get(name)!r}" for name in sorted(names))
