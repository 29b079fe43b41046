"""The files of images that a file of annotations lists by their names."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path, PureWindowsPath

Spelling = Callable[[str], str]


def root_of(annotations: Path) -> Path:
    """Return the folder of a dataset by its file of annotations."""
    return annotations.parent.parent if annotations.parent.name == "annotations" else annotations.parent


class ListedImages:
    """The files of the images that are listed by their names.

    All lie in one folder, and names are meant in one way: as they stand; with the backslashes of Windows; or by their
    last part only, as Label Studio's oldest and newest exports need it. The first image that is found decides.

    Args:
        annotations: the file of annotations, in the folder of images or beside it.
        names: as they are listed.
    """

    def __init__(self, annotations: Path, names: Sequence[str]) -> None:
        split, root = annotations.stem.removeprefix("instances_"), root_of(annotations)
        folders = [root / each for each in ("images", split, f"images/{split}", "JPEGImages", "")]
        places = ((folder, spelling) for spelling in _spellings(names) for folder in _first(folders, names, spelling))
        self.folder, self._spelling = next(places, (folders[0], _with_slashes))

    def path_of(self, name: str) -> Path:
        """Return the file of a listed image, which may be missing."""
        return self.folder / self._spelling(name)


def _first(folders: Sequence[Path], names: Sequence[str], spelling: Spelling) -> list[Path]:
    """Return the folder in which the first image is found, if any is."""
    found = (folder for name in names for folder in folders if os.path.isfile(folder / spelling(name)))
    return [folder for folder in [next(found, None)] if folder is not None]


def _spellings(names: Sequence[str]) -> list[Spelling]:
    """Return the ways in which names may be meant: the last one only where it keeps them apart."""
    last_parts = {_last_part(name) for name in names}
    is_enough = len(last_parts) == len(set(names))
    return [_as_listed, _with_slashes, *([_last_part] if is_enough else [])]


def _as_listed(name: str) -> str:
    return name


def _with_slashes(name: str) -> str:
    return name.replace("\\", "/")


def _last_part(name: str) -> str:
    return PureWindowsPath(name).name  # which knows both kinds of slashes
