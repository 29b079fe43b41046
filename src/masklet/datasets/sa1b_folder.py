"""Annotated pictures from a folder in the layout of SA-1B: a JSON file of run lengths for each picture."""

import os
from collections.abc import Iterator
from pathlib import Path

from masklet.datasets.annotated import AnnotatedImage
from masklet.datasets.annotation_json import read_annotation_json
from masklet.datasets.encoded_objects import decoder_of
from masklet.datasets.problems import Problem, ProblemKind
from masklet.errors import InvalidInputError, UnreadableImageError
from masklet.media.frame_folders import frames_of_folder

FOLDERS = ("images", "annotations")
INNER_FOLDERS = "sa_*"


class Sa1bFolder:
    """The pictures under `root` that have a JSON file of the same name, in the order of their names.

    Both lie in `root`, or in folders `sa_000000` and so on in it, or pictures in `images` and JSON in `annotations`.
    `masklet segment --json` writes such files, too. Masks may overlap; those of no pixels are left out.
    """

    NAME = "SA-1B"
    LAYOUT = f"PICTURE.jpg beside PICTURE.json, in ROOT, in ROOT/{INNER_FOLDERS} or in {' and '.join(FOLDERS)}"

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = Path(root)
        self._pictures: dict[str, Path] = {}
        self._annotations: dict[str, Path] = {}
        for pictures, annotations in _folders(self.root):
            self._pictures |= {path.stem: path for path in frames_of_folder(pictures)}
            self._annotations |= {path.stem: path for path in sorted(annotations.glob("*.json"))}
        self._names = [name for name in self._annotations if name in self._pictures]

    @classmethod
    def recognises(cls, root: Path) -> bool:
        """Whether the first JSON file is about one picture."""
        files = ((pictures, path) for pictures, folder in _folders(root) for path in sorted(folder.glob("*.json")))
        pictures, first = next(files, (root, None))
        if first is None:
            return False
        try:
            content = read_annotation_json(first)
        except InvalidInputError:  # broken, so only its place can tell
            return any(path.stem == first.stem for path in frames_of_folder(pictures))
        return isinstance(content, dict) and {"image", "annotations"} <= content.keys()

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[AnnotatedImage]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> AnnotatedImage:
        """Return picture `index` in the order of names; InvalidInputError if its JSON file is broken."""
        name = self._names[index]
        path = self._annotations[name]
        content = read_annotation_json(path)
        try:
            height, width = int(content["image"]["height"]), int(content["image"]["width"])
            visible = [each for each in content["annotations"] if each.get("area", 1)]
            objects = tuple(decoder_of(each, height, width, str(path)) for each in visible)
        except UnreadableImageError:
            raise
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise InvalidInputError(f"{path} is not about a picture of SA-1B: {error!r}.") from error
        left_out = len(content["annotations"]) - len(objects)
        return AnnotatedImage(name, self.path_of(index), height, width, objects, left_out)

    def path_of(self, index: int) -> Path:
        """Return the file of picture `index`."""
        return self._pictures[self._names[index]]

    def name_of(self, index: int) -> str:
        """Return the file name of picture `index`."""
        return self.path_of(index).name

    def files_of(self, index: int) -> tuple[Path, ...]:
        """Return picture `index` and its JSON file."""
        return self.path_of(index), self._annotations[self._names[index]]

    def problems(self) -> Iterator[Problem]:
        """Yield pictures and JSON files without partner; reads names only."""
        for name, path in self._annotations.items():
            if name not in self._pictures:
                yield Problem(ProblemKind.MASK_WITHOUT_IMAGE, str(path), f"no picture {name}.* beside it")
        for name, path in self._pictures.items():
            if name not in self._annotations:
                yield Problem(ProblemKind.IMAGE_WITHOUT_MASK, str(path), f"no {name}.json beside it")


def _folders(root: Path) -> list[tuple[Path, Path]]:
    """Return the folders of pictures and of annotations, in pairs."""
    pictures, annotations = (root / each for each in FOLDERS)
    if pictures.is_dir() and annotations.is_dir():
        return [(pictures, annotations)]
    inner = sorted(each for each in root.glob(INNER_FOLDERS) if each.is_dir())
    return [(each, each) for each in (root, *inner)]
