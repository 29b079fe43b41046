"""Annotated videos from a folder in the layout of YouTube-VOS."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import UnionType
from typing import Any

from masklet.errors import InvalidInputError
from masklet.folders import folders_in, matching
from masklet.formats.reading.annotated import CATEGORY
from masklet.formats.reading.davis_folder import RESOLUTIONS
from masklet.formats.reading.label_map_folder import ANNOTATIONS, FRAMES, LabelMapFolder
from masklet.formats.reading.label_map_video import LabelMapVideo
from masklet.json_files import read_json, shown, whole_number

META = "meta.json"


class YoutubeVosFolder(LabelMapFolder):
    """The sequences of `root`, some frames of which have a label map: every fifth, or those where an object begins.

    `meta.json`, if there, lists the objects of a sequence (`videos` -> sequence -> `objects` -> id). An id that it
    does not name is an error. InvalidInputError if it is broken.
    """

    NAME = "YouTube-VOS"
    LAYOUT = f"{FRAMES}/SEQUENCE/FRAME.jpg, {ANNOTATIONS}/SEQUENCE/FRAME.png for some frames, perhaps {META}"
    EVERY_FRAME_IS_ANNOTATED = False

    def __init__(self, root: str | os.PathLike[str]) -> None:
        super().__init__(root)
        meta = self.root / META
        self._lists = (meta,) if meta.is_file() else ()
        self._declared = _objects_of_sequences(meta) if self._lists else {}

    @classmethod
    def _is_layout_of(cls, folder: Path) -> bool:
        """Return whether there is `meta.json`, or there are fewer label maps than frames in the first sequence."""
        sequences = folders_in(folder / ANNOTATIONS)
        if not sequences or sequences[0].name in RESOLUTIONS:
            return False
        if (folder / META).is_file():
            return True
        counts = [len(matching(folder / kind / sequences[0].name, "*.*")) for kind in (FRAMES, ANNOTATIONS)]
        return counts[1] <= max(1, counts[0] // 2) and counts[0] > 1

    def files_of(self, name: str) -> tuple[Path, ...]:
        """Return the images and the label maps of the sequence `name`, and `meta.json` if there."""
        return *super().files_of(name), *self._lists

    def _video(
        self, name: str, frames: tuple[Path, ...], annotated: tuple[int, ...], paths: tuple[Path, ...]
    ) -> LabelMapVideo:
        declared = self._declared.get(name)
        ids = None if declared is None else tuple(sorted(declared))
        return LabelMapVideo(name, frames, annotated, paths, ids, declared or {})


def _objects_of_sequences(meta: Path) -> dict[str, dict[int, str]]:
    """Return the categories of the objects of each sequence by their ids."""
    try:
        videos = _entry(read_json(meta), "videos", dict)
        return {name: _categories(_entry(video, "objects", dict | list)) for name, video in videos.items()}
    except InvalidInputError as error:
        raise InvalidInputError(f"{meta} is not of the form videos -> SEQUENCE -> objects -> ID: {error}") from error


def _entry(content: Any, name: str, kind: type | UnionType) -> Any:
    found = content.get(name) if isinstance(content, dict) else None
    if not isinstance(found, kind):
        raise InvalidInputError(f"there is no {name!r} in {shown(content)}.")
    return found


def _categories(objects: Mapping[object, object] | Sequence[object]) -> dict[int, str]:
    ids = {each: whole_number(each, "an id") for each in objects}
    about = objects if isinstance(objects, Mapping) else {}
    named = {each: entry.get("category") for each, entry in about.items() if isinstance(entry, Mapping)}
    return {number: str(named.get(each) or CATEGORY) for each, number in ids.items()}
