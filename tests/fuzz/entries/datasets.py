"""Folders of annotated images and videos, in every layout that masklet reads."""

from collections.abc import Callable
from pathlib import Path
from random import Random

from tests.fuzz.attempt import Entry
from tests.fuzz.spoiling import spoil_folder
from tests.support.annotated_folders import WRITERS

from masklet.datasets.checking import check_dataset
from masklet.formats.reading.opening import holds_videos, open_dataset


def _make(write: Callable[[Path], None]) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        write(folder / "data")
        return folder / "data"

    return make


def spoil(rng: Random, root: Path) -> tuple[str, Path]:
    """Spoil annotations rather than images."""
    names = rng.choice(("*.json", "*", "*.png")) if any(root.rglob("*.json")) else rng.choice(("*", "*.png"))
    return spoil_folder(rng, root, names if any(root.rglob(names)) else "*"), root


def _use(root: Path) -> None:
    """Check it, which never refuses what it can name, and read it as training and evaluation do."""
    check_dataset(root, workers=1).to_json()
    dataset = open_dataset(root)
    list(dataset.problems())
    if holds_videos(dataset):
        for name in dataset.sequences:
            video = dataset[name]
            dataset.files_of(name)
            for frame in video.annotated_frames:
                video.masks(frame)
            with video.open_frames() as frames:
                list(frames)
        return
    for index in range(len(dataset)):
        image = dataset[index]
        dataset.files_of(index), dataset.name_of(index), image.masks, image.read_pixels()


def name_of(layout: str) -> str:
    return layout.lower().replace(" ", "-")


ENTRIES = {name_of(layout): Entry(_make(write), spoil, _use) for layout, write in WRITERS.items()}
