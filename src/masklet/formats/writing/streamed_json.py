"""JSON files with long lists, written entry by entry."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from masklet.atomic_files import written_whole


def write_json_lists(path: Path, fields: Mapping[str, Any], lists: Mapping[str, Iterable[Any]]) -> None:
    """Write one object: its fields, and then lists, one entry a line; no list is in memory at once."""
    with written_whole(path) as unfinished, unfinished.open("w", encoding="utf-8") as file:
        opened = json.dumps(fields).removesuffix("}")
        file.write(opened)
        for number, (name, entries) in enumerate(lists.items()):
            file.write(f"{', ' if number or fields else ''}{json.dumps(name)}: [")
            _write_entries(file, entries)
            file.write("\n]")
        file.write("}\n")


def write_json_list(path: Path, entries: Iterable[Any]) -> None:
    """Write one list, one entry a line, which come one after the other."""
    with written_whole(path) as unfinished, unfinished.open("w", encoding="utf-8") as file:
        file.write("[")
        _write_entries(file, entries)
        file.write("\n]\n")


def _write_entries(file: Any, entries: Iterable[Any]) -> None:
    for number, entry in enumerate(entries):
        file.write(f"{',' if number else ''}\n{json.dumps(entry)}")
