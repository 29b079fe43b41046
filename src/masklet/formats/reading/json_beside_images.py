"""Annotated images with a JSON file of the same name each."""

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

from masklet.errors import InvalidInputError
from masklet.folders import matching
from masklet.formats.reading.annotated import AnnotatedImage
from masklet.formats.reading.annotation_files import by_stem
from masklet.formats.reading.problems import Problem, ProblemKind
from masklet.json_files import read_json
from masklet.media.frame_folders import frames_of_folder

FOLDERS = ("images", "annotations")
INNER_FOLDERS = "sa_*"
MOST_READ = 10  # JSON files to recognise the layout by; there may be thousands


class JsonBesideImages:
    """The images under `root` that have a JSON file of the same name, in the order of their names.

    Both lie in `root`, or in folders `sa_000000` and so on in it, or images in `images` and JSON in `annotations`.
    InvalidInputError if two images in one folder have one name but for the suffix.
    """

    KEYS: ClassVar[frozenset[str]]
    """What a JSON file about an image has, and those of other programs have not."""

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = Path(root)
        self._annotated: list[tuple[Path, Path]] = []
        self._lonely_images: list[Path] = []
        self._lonely_annotations: list[Path] = []
        for folders in _folders(self.root):
            annotations = by_stem(_json_files(folders[1]))
            images = by_stem(frames_of_folder(folders[0]), annotations)
            self._annotated += [(images[name], path) for name, path in annotations.items() if name in images]
            self._lonely_images += [path for name, path in images.items() if name not in annotations]
            self._lonely_annotations += [path for name, path in annotations.items() if name not in images]

    @classmethod
    def recognises(cls, root: Path) -> bool:
        """Return whether one of the first ten JSON files is about an image; those beside an image come first."""
        return root.is_dir() and any(
            _is_about_an_image(*each, cls.KEYS) for each in islice(_most_likely_first(root), MOST_READ)
        )

    def __len__(self) -> int:
        return len(self._annotated)

    def __iter__(self) -> Iterator[AnnotatedImage]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> AnnotatedImage:
        """Return image `index` in the order of names; InvalidInputError if its JSON file is broken.

        MismatchedSizeError if run lengths have another size than the file gives for the image.
        """
        image, path = self._annotated[index]
        return self._image(image, path, read_json(path))

    def _image(self, image: Path, path: Path, content: Any) -> AnnotatedImage:
        """Return the image of a file with the objects that the JSON file `path` holds."""
        raise NotImplementedError

    def path_of(self, index: int) -> Path:
        """Return the file of image `index`."""
        return self._annotated[index][0]

    def name_of(self, index: int) -> str:
        """Return the file name of image `index`, after its folder's where there are several."""
        return self._name(*self._annotated[index])

    def _name(self, image: Path, path: Path) -> str:
        return image.relative_to(self.root).as_posix()

    def files_of(self, index: int) -> tuple[Path, ...]:
        """Return image `index` and its JSON file."""
        return self._annotated[index]

    def problems(self) -> Iterator[Problem]:
        """Yield images, and JSON files about one, that lack their partner; reads JSON without image only."""
        for path in (each for each in self._lonely_annotations if _is_about_an_image(each, False, self.KEYS)):
            yield Problem(ProblemKind.MASK_WITHOUT_IMAGE, str(path), f"no image {path.stem}.* beside it")
        for path in self._lonely_images:
            yield Problem(ProblemKind.IMAGE_WITHOUT_MASK, str(path), f"no {path.stem}.json beside it")


def _folders(root: Path) -> list[tuple[Path, Path]]:
    """Return the folders of images and of annotations, in pairs."""
    images, annotations = (root / each for each in FOLDERS)
    if images.is_dir() and annotations.is_dir():
        return [(images, annotations)]
    inner = [each for each in matching(root, INNER_FOLDERS) if each.is_dir()]
    return [(each, each) for each in (root, *inner)]


def _json_files(folder: Path) -> list[Path]:
    return matching(folder, "*.json")


def _most_likely_first(root: Path) -> Iterator[tuple[Path, bool]]:
    """Yield the JSON files and whether an image lies beside them: other tools leave JSON of their own without one."""
    lonely: list[Path] = []
    for images, annotations in _folders(root):
        names = {path.stem for path in frames_of_folder(images)}
        for path in _json_files(annotations):
            if path.stem in names:
                yield path, True
            else:
                lonely.append(path)
    yield from ((path, False) for path in lonely)


def _is_about_an_image(path: Path, has_image: bool, keys: frozenset[str]) -> bool:
    try:
        content = read_json(path)
    except InvalidInputError:  # broken, so only its place can decide
        return has_image
    return isinstance(content, dict) and content.keys() >= keys
