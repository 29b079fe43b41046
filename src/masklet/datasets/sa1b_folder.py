"""Annotated pictures from a folder in the layout of SA-1B: a JSON file of run lengths for each picture."""

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from masklet.datasets.annotated import AnnotatedImage
from masklet.datasets.encoded_objects import encoded_image
from masklet.datasets.problems import Problem, ProblemKind
from masklet.datasets.stems import by_stem
from masklet.errors import InvalidInputError
from masklet.folders import matching
from masklet.json_files import read_json
from masklet.media.frame_folders import frames_of_folder

FOLDERS = ("images", "annotations")
KEYS = ("image", "annotations")
INNER_FOLDERS = "sa_*"
MOST_READ = 10  # JSON files to recognise the layout by; there may be thousands


class Sa1bFolder:
    """The pictures under `root` that have a JSON file of the same name, in the order of their names.

    Both lie in `root`, or in folders `sa_000000` and so on in it, or pictures in `images` and JSON in `annotations`.
    The JSON files of `masklet segment` are such, too. Masks may overlap; those of no pixels, and annotations without a
    mask, are left out.
    InvalidInputError if two pictures in one folder have one name but for the suffix.
    """

    NAME = "SA-1B"
    LAYOUT = f"PICTURE.jpg beside PICTURE.json, in ROOT, in ROOT/{INNER_FOLDERS} or in {' and '.join(FOLDERS)}"

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = Path(root)
        self._annotated: list[tuple[Path, Path]] = []
        self._lonely_pictures: list[Path] = []
        self._lonely_annotations: list[Path] = []
        for folders in _folders(self.root):
            annotations = by_stem(_json_files(folders[1]))
            pictures = by_stem(frames_of_folder(folders[0]), annotations)
            self._annotated += [(pictures[name], path) for name, path in annotations.items() if name in pictures]
            self._lonely_pictures += [path for name, path in pictures.items() if name not in annotations]
            self._lonely_annotations += [path for name, path in annotations.items() if name not in pictures]

    @classmethod
    def recognises(cls, root: Path) -> bool:
        """Whether one of the first ten JSON files is about a picture, those beside a picture of their name first."""
        return root.is_dir() and any(_is_about_a_picture(*each) for each in islice(_most_likely_first(root), MOST_READ))

    def __len__(self) -> int:
        return len(self._annotated)

    def __iter__(self) -> Iterator[AnnotatedImage]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> AnnotatedImage:
        """Return image `index` in the order of names; InvalidInputError if its JSON file is broken.

        MismatchedSizeError if run lengths have another size than the file says of the image.
        """
        picture, path = self._annotated[index]
        content = read_json(path)
        image, annotations = (content.get(key) for key in KEYS) if isinstance(content, dict) else (None, None)
        if not isinstance(image, dict) or not {"height", "width"} <= image.keys() or not isinstance(annotations, list):
            raise InvalidInputError(
                f"{path} is not about an image of SA-1B: it has no 'image' with 'height' and 'width', or no list "
                "'annotations'."
            )
        return encoded_image(self.name_of(index), picture, image, annotations, str(path))

    def path_of(self, index: int) -> Path:
        """Return the file of picture `index`."""
        return self._annotated[index][0]

    def name_of(self, index: int) -> str:
        """Return the file name of picture `index`, after its folder's where there are several."""
        return self.path_of(index).relative_to(self.root).as_posix()

    def files_of(self, index: int) -> tuple[Path, ...]:
        """Return picture `index` and its JSON file."""
        return self._annotated[index]

    def problems(self) -> Iterator[Problem]:
        """Yield pictures, and JSON files about one, that lack their partner; reads JSON without picture only."""
        for path in (each for each in self._lonely_annotations if _is_about_a_picture(each, has_picture=False)):
            yield Problem(ProblemKind.MASK_WITHOUT_IMAGE, str(path), f"no picture {path.stem}.* beside it")
        for path in self._lonely_pictures:
            yield Problem(ProblemKind.IMAGE_WITHOUT_MASK, str(path), f"no {path.stem}.json beside it")


def _folders(root: Path) -> list[tuple[Path, Path]]:
    """Return the folders of pictures and of annotations, in pairs."""
    pictures, annotations = (root / each for each in FOLDERS)
    if pictures.is_dir() and annotations.is_dir():
        return [(pictures, annotations)]
    inner = [each for each in matching(root, INNER_FOLDERS) if each.is_dir()]
    return [(each, each) for each in (root, *inner)]


def _json_files(folder: Path) -> list[Path]:
    return matching(folder, "*.json")


def _most_likely_first(root: Path) -> Iterator[tuple[Path, bool]]:
    """Yield the JSON files and whether a picture lies beside them: other tools leave JSON of their own without one."""
    lonely: list[Path] = []
    for pictures, annotations in _folders(root):
        names = {path.stem for path in frames_of_folder(pictures)}
        for path in _json_files(annotations):
            if path.stem in names:
                yield path, True
            else:
                lonely.append(path)
    yield from ((path, False) for path in lonely)


def _is_about_a_picture(path: Path, has_picture: bool) -> bool:
    try:
        content = read_json(path)
    except InvalidInputError:  # broken, so only its place can tell
        return has_picture
    return isinstance(content, dict) and set(KEYS) <= content.keys()
