"""Annotated images from a folder in COCO's instance format, found by the usual names of its files."""

import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path, PureWindowsPath
from typing import Any

from masklet.errors import InvalidInputError
from masklet.folders import matching
from masklet.formats.reading.annotated import AnnotatedImage
from masklet.formats.reading.encoded_objects import encoded_image, why_left_out
from masklet.formats.reading.problems import LeftOut, Problem, ProblemKind, counted
from masklet.json_files import is_file_name, read_json, shown
from masklet.media.frame_folders import frames_of_folder

IMAGE_FIELDS = {"id", "file_name", "height", "width"}

ANNOTATIONS = "annotations.json"
PATTERNS = (ANNOTATIONS, "annotations/instances_*.json", "_annotations.coco.json", "result.json")
"""The last is Label Studio's; since others use that name, too, it has to hold COCO's lists."""

UNSPECIFIC = frozenset({"result.json"})
LISTS = tuple(re.compile(rf'"{name}"\s*:\s*\['.encode()) for name in ("images", "annotations"))

Spelling = Callable[[str], str]


class CocoFolder:
    """The images that a COCO instances file lists, with their objects, in the file's order.

    The file is `root/annotations.json`, `root/annotations/instances_<split>.json`, `root/_annotations.coco.json` or
    Label Studio's `root/result.json`, or `root` itself. The images are in `images`, `<split>` or `images/<split>` of
    the folder, or directly in it.

    Masks are decoded when they are used. Crowd annotations, those without a mask and empty masks are skipped, so an
    image may come without any object. InvalidInputError, naming the file, if it is missing, not in COCO's format or one
    of several.
    """

    NAME = "COCO instances"
    LAYOUT = f"images/IMAGE.jpg and {', '.join(PATTERNS[:2])}, or the path of such a file"

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self._annotations_path = annotation_file_of(Path(root))
        self.root = root_of(self._annotations_path)
        content = self._read_annotations()
        self._images: list[dict[str, Any]] = content["images"]
        self._annotations_of_image: dict[Any, list[dict[str, Any]]] = defaultdict(list)
        try:
            for annotation in content["annotations"]:
                self._annotations_of_image[annotation["image_id"]].append(annotation)
        except (KeyError, TypeError) as error:
            raise self._invalid(f"the annotation {shown(annotation)} has no image_id") from error
        self._files = ListedImages(self._annotations_path, [image["file_name"] for image in self._images])

    @classmethod
    def recognises(cls, root: Path) -> bool:
        """Return whether `root` is a JSON file, or has a file of one of the usual names."""
        return (root.suffix == ".json" and root.is_file()) or bool(annotation_files(root))

    def __len__(self) -> int:
        return len(self._images)

    def __iter__(self) -> Iterator[AnnotatedImage]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> AnnotatedImage:
        """Return image number `index` of the annotations, upright.

        InvalidInputError if one of its annotations is broken, MismatchedSizeError if run lengths have another size.
        """
        image, name = self._images[index], self.name_of(index)
        annotations = self._annotations_of_image.get(image["id"], ())
        return encoded_image(name, self.path_of(index), image, annotations, f"{self._annotations_path}: {name}")

    def path_of(self, index: int) -> Path:
        """Return the file of image `index`, which may be missing."""
        return self._files.path_of(self.name_of(index))

    def name_of(self, index: int) -> str:
        """Return the name by which image `index` is listed, which may begin with folders."""
        name: str = self._images[index]["file_name"]
        return name

    def files_of(self, index: int) -> tuple[Path, ...]:
        """Return image `index` and the file of all annotations."""
        return self.path_of(index), self._annotations_path

    def problems(self) -> Iterator[Problem]:
        """Yield annotations without image, and images without annotations; reads no images and masks."""
        place = str(self._annotations_path)
        yield from self._unlisted_annotations(place)
        names = Counter(image["file_name"] for image in self._images)
        for name in (name for name, count in names.items() if count > 1):
            yield Problem(ProblemKind.BROKEN_ANNOTATIONS, place, f"{names[name]} images have the file name {name!r}")
        if without := self._without_any_mask():
            yield Problem(ProblemKind.EMPTY_DATASET, place, f"no annotation can be used: {counted(without)}")
        for index, image in enumerate(self._images):
            path = self.path_of(index)
            if not path.is_file():
                detail = f"listed in {place}, but there is no such file"
                yield Problem(ProblemKind.MASK_WITHOUT_IMAGE, str(path), detail)
            elif image["id"] not in self._annotations_of_image:
                yield Problem(ProblemKind.WITHOUT_OBJECTS, str(path), f"{place} has no annotations of it")
        yield from self._unlisted_images(place)

    def _unlisted_annotations(self, place: str) -> Iterator[Problem]:
        known = {image["id"] for image in self._images}
        for image_id in self._annotations_of_image.keys() - known:
            count = len(self._annotations_of_image[image_id])
            detail = f"{count} annotations of the image {shown(image_id)}, which is not listed"
            yield Problem(ProblemKind.MASK_WITHOUT_IMAGE, place, detail)

    def _unlisted_images(self, place: str) -> Iterator[Problem]:
        listed = {self.path_of(index) for index in range(len(self))}
        for folder in sorted({path.parent for path in listed if path.is_file()}):
            unlisted = [each for each in frames_of_folder(folder) if each not in listed]
            if unlisted:
                detail = f"{len(unlisted)} images are not listed in {place}, the first is {unlisted[0].name}"
                yield Problem(ProblemKind.WITHOUT_OBJECTS, str(folder), detail)

    def _without_any_mask(self) -> Counter[LeftOut]:
        """Return why no annotation at all can be used; empty if one may be."""
        reasons: Counter[LeftOut] = Counter()
        for annotation in chain.from_iterable(self._annotations_of_image.values()):
            reason = why_left_out(annotation)
            if reason is None:
                return Counter()
            reasons[reason] += 1
        return reasons

    def _read_annotations(self) -> dict[str, Any]:
        content = read_json(self._annotations_path)
        lists = ("images", "annotations")
        if not isinstance(content, dict) or not all(isinstance(content.get(key), list) for key in lists):
            raise self._invalid("it has no lists 'images' and 'annotations'")
        self._check_images(content["images"])
        return content

    def _check_images(self, images: list[Any]) -> None:
        ids = set()
        for image in images:
            is_complete = isinstance(image, dict) and image.keys() >= IMAGE_FIELDS
            if not is_complete or not isinstance(image["id"], int | str):
                fields = ", ".join(sorted(IMAGE_FIELDS))
                raise self._invalid(f"the image {shown(image)} lacks one of the fields {fields}")
            if not is_file_name(image["file_name"]):
                raise self._invalid(f"the file_name of the image {shown(image)} is no name of a file")
            if image["id"] in ids:
                raise self._invalid(f"several images have the id {shown(image['id'])}")
            ids.add(image["id"])

    def _invalid(self, reason: str) -> InvalidInputError:
        return InvalidInputError(f"{self._annotations_path} is not a COCO instances file: {reason}.")


def annotation_files(root: Path) -> list[Path]:
    """Return the files of annotations under `root` that have a usual name, sorted."""
    found = sorted(path for pattern in PATTERNS for path in matching(root, pattern) if path.is_file())
    return [path for path in found if path.name not in UNSPECIFIC or _has_lists(path)]


def annotation_file_of(root: Path) -> Path:
    """Return the file of annotations that `root` is or holds; InvalidInputError if it holds several."""
    if root.is_file():
        return root
    found = annotation_files(root)
    if len(found) > 1:
        names = ", ".join(str(path) for path in found)
        raise InvalidInputError(f"{root} holds several files of annotations; name one of them instead: {names}.")
    return found[0] if found else root / ANNOTATIONS


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
        folders = [root / each for each in ("images", split, f"images/{split}", "")]
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


def _has_lists(path: Path) -> bool:
    content = path.read_bytes()
    return all(each.search(content) for each in LISTS)
