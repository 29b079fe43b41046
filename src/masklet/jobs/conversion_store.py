"""What is finished of a conversion, in a hidden folder of its output, so that one that was killed goes on."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from masklet.closing import Closing
from masklet.committed_folder import FolderWriter, Part, checked_lines, read_index
from masklet.errors import InvalidInputError
from masklet.json_files import shown

FOLDER = ".converting"
_INDEX = "conversion.json"
_LINES = "items.jsonl"
_COMMITTED_AFTER = 64  # items


class ConversionStore(Closing):
    """The finished items with what the end of the conversion has to know of each; none of it stays in memory.

    Close it, or use it as a context. `keep` takes over what an earlier run finished, `add` more, and `commit` makes it
    survive a kill.

    Args:
        output: the folder that is written.
        settings: what the finished items depend on, of kinds that JSON knows.

    Raises:
        InvalidInputError: if it was begun with other settings, or somebody else is at work in it.
    """

    def __init__(self, output: Path, settings: Mapping[str, Any]) -> None:
        self._folder = output / FOLDER
        self._settings = dict(settings)
        self.losses: Counter[str] = Counter()
        self._earlier = self._earlier_part()
        self._writer = FolderWriter(self._folder, _INDEX, "convert into it")
        self._added = 0
        self._part: Part | None = None

    def _earlier_part(self) -> Part | None:
        if not (self._folder / _INDEX).exists():
            return None
        content, _ = read_index(self._folder / _INDEX)
        if (known := content.get("settings")) != json.loads(json.dumps(self._settings)):
            raise InvalidInputError(
                f"{self._folder.parent} was begun with other settings ({shown(known)}); choose another folder, or "
                "delete this one."
            )
        return Part.from_json(content.get("items"))

    def keep(self, wanted: Iterable[tuple[str, Callable[[], str]]]) -> int:
        """Take over the first items of an earlier run as long as they are those that are wanted; return how many.

        Args:
            wanted: the names of all items in their order, each with a function that returns its fingerprint.
        """
        earlier = _items(() if self._earlier is None else checked_lines(self._folder, self._earlier))
        kept = 0
        for lines, (name, fingerprint) in zip(earlier, wanted, strict=False):
            ending = json.loads(lines[-1])
            if (ending["name"], ending["fingerprint"]) != (name, fingerprint()):
                break
            self._append(lines)
            kept += 1
        return kept

    def add(self, name: str, fingerprint: str, fragments: Iterable[Any], losses: Mapping[str, int]) -> None:
        """Keep an item once all its fragments were yielded.

        Args:
            name: of the item.
            fingerprint: of the files that it was made from.
            fragments: what is kept of it.
            losses: what was lost, complete once all fragments were yielded.
        """
        lines = [json.dumps({"fragment": each}).encode() + b"\n" for each in fragments]
        ending = {"name": name, "fingerprint": fingerprint, "losses": dict(losses)}
        self._append([*lines, json.dumps(ending).encode() + b"\n"])
        self._added += 1
        if self._added % _COMMITTED_AFTER == 0:
            self.commit()

    def _append(self, lines: list[bytes]) -> None:
        ending = json.loads(lines[-1])
        self._writer.append(_LINES, b"".join(lines))
        self.losses.update(ending["losses"])

    def commit(self) -> None:
        """Make all that was added survive a kill."""
        self._part = self._writer.part(_LINES)
        self._writer.commit({"settings": self._settings, "items": self._part.to_json()})

    def fragments(self) -> Iterator[Any]:
        """Yield the fragments of all items that were committed, in the order in which they were added."""
        for line in checked_lines(self._folder, self._part) if self._part is not None else ():
            entry = json.loads(line)
            if "fragment" in entry:
                yield entry["fragment"]

    def discard(self) -> None:
        """Remove it: the conversion is finished."""
        self._writer.discard()

    def close(self) -> None:
        """Let go of the folder; what was committed stays."""
        self._writer.close()


def _items(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Yield the lines of each item: its fragments, and what it ends with."""
    item: list[bytes] = []
    for line in lines:
        item.append(line)
        if not line.startswith(b'{"fragment"'):
            yield item
            item = []
