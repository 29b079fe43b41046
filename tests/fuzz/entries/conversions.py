"""Conversion of folders that somebody has spoilt, between all formats."""

from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from tests.fuzz.attempt import Entry
from tests.fuzz.entries import datasets
from tests.support.annotated_folders import WRITERS

from masklet.formats.reading.opening import holds_videos, open_dataset
from masklet.formats.registry import WRITERS as FORMATS
from masklet.jobs.conversion import convert_dataset

Given = tuple[Path, str]


def _use(given: Given) -> None:
    root, to = given
    with TemporaryDirectory() as folder:
        convert_dataset(root, Path(folder) / "out", to)


def _entry(layout: str) -> Entry:
    def make(folder: Path) -> Given:
        WRITERS[layout](folder / "data")
        return folder / "data", "youtube-vis" if holds_videos(open_dataset(folder / "data")) else "labelme"

    def spoil(rng: Random, given: Given) -> tuple[str, Given]:
        change, root = datasets.spoil(rng, given[0])
        to = rng.choice([name for name, each in FORMATS.items() if each.HOLDS.images == FORMATS[given[1]].HOLDS.images])
        return f"{change}, to {to}", (root, to)

    return Entry(make, spoil, _use)


ENTRIES = {f"convert-{datasets.name_of(layout)}": _entry(layout) for layout in WRITERS}
