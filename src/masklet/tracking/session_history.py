"""What is out of a session's reach, compact masks and memories on disk: as lines in a file that only grows.

A line holds what is gone and what is new of one object since the line before: [object id, kind, [frames that are gone],
[[frame, value], ...]]. Kinds are "results", whose values are the fields of a `FrameResult`, and "archived", whose
values are [direction, part], the part being the file of a memory.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from masklet.committed_folder import FolderWriter, Part
from masklet.errors import InvalidInputError
from masklet.json_files import LARGEST, shown, whole_number
from masklet.masks.run_length import counts_of, size_of
from masklet.masks.views import View
from masklet.tracking.memory_bank import FrameResult
from masklet.tracking.retention import ArchivedFrame, link_or_copy
from masklet.tracking.tracked_object import TrackedObject

RESULTS, ARCHIVED = "results", "archived"
FILE, MEMORY_FILE = "history.jsonl", "memory.safetensors"

Key = tuple[int, str]  # object id and kind
History = Mapping[Key, dict[int, Any]]


class HistoryWriter:
    """Adds to the history what is new in a session, which is recognised by the identity of the values."""

    def __init__(self, folder: FolderWriter) -> None:
        self._folder = folder
        self._written: dict[Key, dict[int, Any]] = {}
        self._parts: dict[tuple[int, int], Part] = {}  # of an object's memories by frame

    def append(self, objects: Sequence[TrackedObject]) -> None:
        """Write what became of the objects since the last call."""
        now: dict[Key, Mapping[int, Any]] = {}
        for each in objects:
            now[each.object_id, RESULTS] = each.bank.results
            now[each.object_id, ARCHIVED] = each.bank.archive.frames() if each.bank.archive is not None else {}
        for key in {**self._written, **now}:
            written, current = self._written.get(key, {}), now.get(key, {})
            gone = [frame for frame, value in written.items() if current.get(frame) is not value]
            new = [frame for frame, value in current.items() if written.get(frame) is not value]
            if gone or new:
                self._append(key, gone, {frame: current[frame] for frame in new})
            self._written[key] = dict(current)

    def _append(self, key: Key, gone: list[int], new: Mapping[int, Any]) -> None:
        object_id, kind = key
        values: dict[int, Any]
        if kind == RESULTS:
            values = {frame: _in_json(result) for frame, result in new.items()}
        else:
            for frame in gone:
                self._folder.supersede(self._parts.pop((object_id, frame)))
            values = {frame: self._kept(object_id, frame, archived) for frame, archived in new.items()}
        line = [object_id, kind, gone, list(values.items())]
        self._folder.append(FILE, json.dumps(line).encode() + b"\n")

    def _kept(self, object_id: int, frame: int, archived: ArchivedFrame) -> list[Any]:
        part = self._folder.put(MEMORY_FILE, lambda path: link_or_copy(archived.path, path))
        self._parts[object_id, frame] = part
        return [archived.reverse, part.to_json()]


def read_history(lines: Iterable[bytes]) -> History:
    """Return what is left after all lines: the values of each object and kind by frame, as JSON has them."""
    left: dict[Key, dict[int, Any]] = defaultdict(dict)
    for line in lines:
        entry = json.loads(line)
        if not isinstance(entry, list) or len(entry) != 4 or entry[1] not in (RESULTS, ARCHIVED):
            raise InvalidInputError(f"A line of the history is {shown(entry)}.")
        object_id, kind, gone, new = entry
        kept = left[whole_number(object_id, "object_id", least=-LARGEST), kind]
        for frame in gone:
            kept.pop(frame, None)
        kept.update(new)
    return left


def _in_json(result: FrameResult) -> dict[str, Any]:
    fields = asdict(result)
    return {**fields, "view": list(fields["view"].values())} if result.view else fields


def result_from(value: object, size: tuple[int, int], *, is_checked: bool) -> FrameResult:
    """Return the compact mask that JSON describes, of the size (height, width).

    InvalidInputError if it describes none; its run lengths are decoded only if no checksum has spoken for them.
    """
    if not isinstance(value, dict) or {"view", *value} != FrameResult.__dataclass_fields__.keys():
        raise InvalidInputError(f"A compact mask is {shown(value)}.")
    run_length, scores = value["run_length"], (value["iou"], value["object_score"])
    if size_of(run_length) != size or not isinstance(run_length["counts"], str):
        raise InvalidInputError(f"A compact mask is not of {size[1]} x {size[0]} pixels: {shown(run_length)}.")
    if not is_checked:
        counts_of(run_length, *size)
    if not all(isinstance(score, float) for score in scores) or not isinstance(value["reverse"], bool):
        raise InvalidInputError(f"A compact mask has the scores {shown(scores)}, reverse {shown(value['reverse'])}.")
    return FrameResult(**{**value, "view": _view_from(value.get("view"), size)})


def _view_from(value: object, size: tuple[int, int]) -> View | None:
    """Return the part of a frame of that size (height, width) that JSON names; sessions that do not zoom name none."""
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 4:
        raise InvalidInputError(f"A view is [left, top, right, bottom]; got {shown(value)}.")
    right, bottom = (whole_number(value[place], "A view's end", 1, size[1 - (place - 2)]) for place in (2, 3))
    left, top = (whole_number(value[place], "A view's start", 0, end - 1) for place, end in ((0, right), (1, bottom)))
    return View(left, top, right, bottom)
