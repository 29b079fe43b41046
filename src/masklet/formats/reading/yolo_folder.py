"""Annotated images from the segmentation layout of YOLO: a text file of polygons for each image."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from masklet.errors import InvalidInputError
from masklet.folders import matching
from masklet.formats.reading.annotated import AnnotatedImage
from masklet.formats.reading.encoded_objects import encoded_image
from masklet.formats.reading.problems import Problem, ProblemKind
from masklet.json_files import shown
from masklet.media.frame_folders import frames_of_folder
from masklet.media.images import upright_size

IMAGES, LABELS = "images", "labels"
DATA = "data.yaml"
_ENTRY = re.compile(r"(?:(?P<number>\d+)\s*:|-)\s+(?P<name>.+)")
_BOX = 4


class YoloFolder:
    """The images of `root/images` and the folders in it, with the text files of the same names in `root/labels`.

    `images` and `labels` may also lie in folders of splits, `train/images` and `train/labels`. An image without a text
    file has no objects. Names of classes are those of `data.yaml`.
    InvalidInputError from an index if a line of its file is none.
    """

    NAME = "YOLO segmentation"
    LAYOUT = f"{IMAGES}/SPLIT/IMAGE.jpg, {LABELS}/SPLIT/IMAGE.txt and perhaps {DATA}"

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = Path(root)
        self._classes = _classes(self.root / DATA)
        folders = [each for pattern in (IMAGES, f"*/{IMAGES}") for each in matching(self.root, pattern)]
        inside = [each for folder in folders for each in (folder, *matching(folder, "**/*")) if each.is_dir()]
        self._images = [path for folder in dict.fromkeys(inside) for path in frames_of_folder(folder)]

    @classmethod
    def recognises(cls, root: Path) -> bool:
        """Return whether there is a text file of labels, or `data.yaml`."""
        if not any(each.is_dir() for pattern in (IMAGES, f"*/{IMAGES}") for each in matching(root, pattern)):
            return False
        return (root / DATA).is_file() or next(_label_files(root), None) is not None

    def __len__(self) -> int:
        return len(self._images)

    def __iter__(self) -> Iterator[AnnotatedImage]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> AnnotatedImage:
        """Return image `index` in the order of names, for the size of which its header is read."""
        path, labels, *_ = self.files_of(index)
        size = dict(zip(("height", "width"), upright_size(path), strict=True))
        annotations = [self._annotation(each, size) for each in _lines(labels)]
        return encoded_image(self.name_of(index), path, size, annotations, str(labels))

    def path_of(self, index: int) -> Path:
        """Return the file of image `index`."""
        return self._images[index]

    def name_of(self, index: int) -> str:
        """Return the path of image `index` in the folder."""
        return self.path_of(index).relative_to(self.root).as_posix()

    def files_of(self, index: int) -> tuple[Path, ...]:
        """Return image `index`, its text file, which may be missing, and that of the classes if there."""
        path, classes = self.path_of(index), self.root / DATA
        labels = _swapped(self.root, path, IMAGES, LABELS).with_suffix(".txt")
        return path, labels, *([classes] if classes.is_file() else [])

    def problems(self) -> Iterator[Problem]:
        """Yield text files without image and images without text file; reads names only."""
        labels = {self.files_of(index)[1] for index in range(len(self))}
        for path in _label_files(self.root):
            if path not in labels:
                detail = f"no image in {_swapped(self.root, path, LABELS, IMAGES).parent}"
                yield Problem(ProblemKind.MASK_WITHOUT_IMAGE, str(path), detail)
        for index in range(len(self)):
            path, label, *_ = self.files_of(index)
            if not label.is_file():
                yield Problem(ProblemKind.WITHOUT_OBJECTS, str(path), f"there is no {label}")

    def _annotation(self, line: str, size: dict[str, int]) -> dict[str, Any]:
        first, *rest = line.split()
        try:
            number, shares = int(first), np.array([float(each) for each in rest])
        except ValueError:
            raise InvalidInputError(f"A line is a class and numbers from 0 to 1; got {shown(line)}.") from None
        about = {"category": self._classes.get(number, f"class {number}")}
        if len(shares) <= _BOX:
            return about | {"bbox": shares.tolist()}
        if len(shares) % 2:
            raise InvalidInputError(f"A polygon is x, y pairs; got {len(shares)} numbers: {shown(line)}.")
        return about | {"segmentation": [(shares.reshape(-1, 2) * [size["width"], size["height"]]).ravel().tolist()]}


def _label_files(root: Path) -> Iterator[Path]:
    return (path for pattern in (f"{LABELS}/**/*.txt", f"*/{LABELS}/**/*.txt") for path in matching(root, pattern))


def _swapped(root: Path, path: Path, old: str, new: str) -> Path:
    """Return a path below the root with the first folder `old` in it called `new`."""
    parts = list(path.relative_to(root).parts)
    parts[parts.index(old)] = new
    return root.joinpath(*parts)


def _lines(path: Path) -> list[str]:
    if not path.is_file():
        return []
    try:
        return [line for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{path} is no text in UTF-8 ({error}).") from error


def _classes(path: Path) -> dict[int, str]:
    """Return the names of the classes: of the `names` of YAML a list or a mapping from numbers, in one line or several.

    What else YAML could say there is not read, and leaves classes with their numbers.
    """
    lines = _lines(path)
    start = next((place for place, line in enumerate(lines) if line.startswith("names:")), len(lines))
    inline = "".join(lines[start : start + 1]).partition(":")[2].strip()
    if inline:
        return _entries(
            each.strip() if ":" in each else f"- {each.strip()}" for each in inline.strip("[]{}").split(",")
        )
    return _entries(line.strip() for line in lines[start + 1 :])


def _entries(texts: Iterator[str]) -> dict[int, str]:
    found: dict[int, str] = {}
    for text in texts:
        match = _ENTRY.fullmatch(text)
        if match is None:
            break
        number = len(found) if match["number"] is None else int(match["number"])
        found[number] = _unquoted(match["name"].strip())
    return found


def _unquoted(name: str) -> str:
    try:
        return str(json.loads(name)) if name.startswith('"') else name.strip("'")
    except ValueError:
        return name
