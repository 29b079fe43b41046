"""Annotated pictures from a folder in COCO's instance format."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from masklet.datasets.annotated import AnnotatedImage, MismatchedSizeError
from masklet.datasets.annotation_json import read_annotation_json
from masklet.datasets.encoded_objects import decoder_of
from masklet.datasets.problems import Problem, ProblemKind
from masklet.errors import InvalidInputError
from masklet.folders import matching
from masklet.media.frame_folders import frames_of_folder

ANNOTATIONS = "annotations.json"
PATTERNS = (ANNOTATIONS, "annotations/instances_*.json", "_annotations.coco.json")
IMAGE_FIELDS = {"id", "file_name", "height", "width"}


class CocoFolder:
    """The pictures that a COCO instances file lists, with their objects, in the file's order.

    The file is `root/annotations.json`, `root/annotations/instances_<split>.json` or `root/_annotations.coco.json`, or
    `root` itself. The pictures are in `images`, `<split>` or `images/<split>` of the folder, or directly in it.

    Masks are decoded when they are used. Crowd annotations and empty masks are skipped, so a picture may come without
    any object. InvalidInputError, naming the file, if it is missing, not in COCO's format or one of several.
    """

    NAME = "COCO instances"
    LAYOUT = f"images/PICTURE.jpg and {', '.join(PATTERNS[:2])}, or the path of such a file"

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self._annotations_path = _annotations_of(Path(root))
        self.root = _root_of(self._annotations_path)
        content = self._read_annotations()
        self._images: list[dict[str, Any]] = content["images"]
        self._annotations_of_image: dict[Any, list[dict[str, Any]]] = defaultdict(list)
        try:
            for annotation in content["annotations"]:
                self._annotations_of_image[annotation["image_id"]].append(annotation)
        except (KeyError, TypeError) as error:
            raise self._invalid(f"an annotation has no image_id ({error!r})") from error
        self._folder = self._pictures_folder()

    @classmethod
    def recognises(cls, root: Path) -> bool:
        """Whether `root` is a JSON file, or has a file of one of the usual names."""
        return (root.suffix == ".json" and root.is_file()) or any(_candidates(root))

    def __len__(self) -> int:
        return len(self._images)

    def __iter__(self) -> Iterator[AnnotatedImage]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> AnnotatedImage:
        """Return the picture that is number `index` in the annotations.

        InvalidInputError if its annotations are broken, MismatchedSizeError if its run lengths have another size.
        """
        image = self._images[index]
        try:
            name, height, width = str(image["file_name"]), int(image["height"]), int(image["width"])
            place = f"{self._annotations_path}: {name}"
            decoders = [decoder_of(each, height, width, place) for each in self._objects(image["id"])]
            visible = tuple(decode for decode in decoders if decode().any())
        except MismatchedSizeError:
            raise
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise self._invalid(f"at the image {image}: {error!r}") from error
        return AnnotatedImage(name, self.path_of(index), height, width, visible, len(decoders) - len(visible))

    def path_of(self, index: int) -> Path:
        """Return the file of picture `index`, which may be missing."""
        return self._folder / self.name_of(index)

    def name_of(self, index: int) -> str:
        """Return the name by which picture `index` is listed, which may begin with folders."""
        return str(self._images[index]["file_name"])

    def files_of(self, index: int) -> tuple[Path, ...]:
        """Return picture `index` and the file of all annotations."""
        return self.path_of(index), self._annotations_path

    def problems(self) -> Iterator[Problem]:
        """Yield annotations without picture, and pictures without annotations; reads no pictures and masks."""
        place = str(self._annotations_path)
        known = {image["id"] for image in self._images}
        for image_id in self._annotations_of_image.keys() - known:
            count = len(self._annotations_of_image[image_id])
            detail = f"{count} annotations of the image {image_id!r}, which is not listed"
            yield Problem(ProblemKind.MASK_WITHOUT_IMAGE, place, detail)
        names = Counter(str(image["file_name"]) for image in self._images)
        for name in (name for name, count in names.items() if count > 1):
            yield Problem(ProblemKind.BROKEN_ANNOTATIONS, place, f"{names[name]} images have the file name {name!r}")
        for image in self._images:
            path = self._folder / str(image["file_name"])
            if not path.is_file():
                yield Problem(
                    ProblemKind.MASK_WITHOUT_IMAGE, str(path), f"listed in {place}, but there is no such file"
                )
            elif not self._objects(image["id"]):
                yield Problem(ProblemKind.WITHOUT_OBJECTS, str(path), f"{place} has no annotations of it")
        listed = {self._folder / str(image["file_name"]) for image in self._images}
        unlisted = (
            [each for each in frames_of_folder(self._folder) if each not in listed] if self._folder.is_dir() else []
        )
        if unlisted:
            detail = f"{len(unlisted)} pictures are not listed in {place}, the first is {unlisted[0].name}"
            yield Problem(ProblemKind.WITHOUT_OBJECTS, str(self._folder), detail)

    def _objects(self, image_id: Any) -> list[dict[str, Any]]:
        return [each for each in self._annotations_of_image.get(image_id, ()) if not each.get("iscrowd", 0)]

    def _pictures_folder(self) -> Path:
        """Return the folder that has the first picture."""
        split = self._annotations_path.stem.removeprefix("instances_")
        folders = [self.root / each for each in ("images", split, f"images/{split}", "")]
        first = self._images[0]["file_name"] if self._images else ""
        return next((each for each in folders if first and (each / first).is_file()), folders[0])

    def _read_annotations(self) -> dict[str, Any]:
        content = read_annotation_json(self._annotations_path)
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
                raise self._invalid(f"the image {image} lacks one of the fields {', '.join(sorted(IMAGE_FIELDS))}")
            if image["id"] in ids:
                raise self._invalid(f"several images have the id {image['id']!r}")
            ids.add(image["id"])

    def _invalid(self, reason: str) -> InvalidInputError:
        return InvalidInputError(f"{self._annotations_path} is not a COCO instances file: {reason}.")


def _candidates(root: Path) -> list[Path]:
    return sorted(path for pattern in PATTERNS for path in matching(root, pattern))


def _annotations_of(root: Path) -> Path:
    if root.is_file():
        return root
    found = _candidates(root)
    if len(found) > 1:
        names = ", ".join(str(path) for path in found)
        raise InvalidInputError(f"{root} holds several files of annotations; name one of them instead: {names}.")
    return found[0] if found else root / ANNOTATIONS


def _root_of(annotations: Path) -> Path:
    return annotations.parent.parent if annotations.parent.name == "annotations" else annotations.parent
