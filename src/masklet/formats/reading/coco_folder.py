"""Annotated images from a folder in COCO's instance format, found by the usual names of its files."""

import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from masklet.errors import InvalidInputError
from masklet.folders import matching
from masklet.formats.reading.annotated import AnnotatedImage
from masklet.formats.reading.encoded_objects import encoded_image, why_left_out
from masklet.formats.reading.json_index import read_with_list
from masklet.formats.reading.listed_images import ListedImages, root_of
from masklet.formats.reading.problems import LeftOut, Problem, ProblemKind, counted
from masklet.json_files import is_file_name, shown
from masklet.media.frame_folders import frames_of_folder

IMAGE_FIELDS = {"id", "file_name", "height", "width"}

ANNOTATIONS = "annotations.json"
PATTERNS = (ANNOTATIONS, "annotations/instances*.json", "_annotations.coco.json", "result.json")
"""The last is Label Studio's; since others use that name, too, it has to hold COCO's lists."""

UNSPECIFIC = frozenset({"result.json"})
LISTS = tuple(re.compile(rf'"{name}"\s*:\s*\['.encode()) for name in ("images", "annotations"))


class CocoFolder:
    """The images that a COCO instances file lists, with their objects, in the file's order.

    The file is `root/annotations.json`, `root/annotations/instances_<split>.json` or `instances.json` there,
    `root/_annotations.coco.json` or Label Studio's `root/result.json`, or `root` itself. The images are in `images`,
    `<split>` or `images/<split>` of the folder, or directly in it.

    Masks are decoded when they are used. Crowd annotations, those without a mask and empty masks are skipped, so an
    image may come without any object. InvalidInputError, naming the file, if it is missing, not in COCO's format or one
    of several.
    """

    NAME = "COCO instances"
    LAYOUT = f"images/IMAGE.jpg and {', '.join(PATTERNS[:2])}, or the path of such a file"

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self._annotations_path = annotation_file_of(Path(root))
        self.root = root_of(self._annotations_path)
        content, self._annotations = self._read_annotations()
        self._images: list[dict[str, Any]] = content["images"]
        self._categories = _names_of(content.get("categories"))
        self._places_of_image: dict[Any, list[int]] = defaultdict(list)
        try:
            for place, annotation in enumerate(self._annotations):
                self._places_of_image[annotation["image_id"]].append(place)
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
        annotations = [self._named(self._annotations[place]) for place in self._places_of_image.get(image["id"], ())]
        return encoded_image(name, self.path_of(index), image, annotations, f"{self._annotations_path}: {name}")

    def _named(self, annotation: Any) -> Any:
        """Return an annotation with the name of its category, and the id of its track, where CVAT has one."""
        attributes = annotation.get("attributes")
        track = attributes.get("track_id") if isinstance(attributes, dict) else None
        category = annotation.get("category_id")
        return {**annotation, "category": self._categories.get(shown(category)), "object_id": track}

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
            elif image["id"] not in self._places_of_image:
                yield Problem(ProblemKind.WITHOUT_OBJECTS, str(path), f"{place} has no annotations of it")
        yield from self._unlisted_images(place)

    def _unlisted_annotations(self, place: str) -> Iterator[Problem]:
        known = {image["id"] for image in self._images}
        for image_id in self._places_of_image.keys() - known:
            count = len(self._places_of_image[image_id])
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
        for annotation in self._annotations:
            reason = why_left_out(annotation)
            if reason is None:
                return Counter()
            reasons[reason] += 1
        return reasons

    def _read_annotations(self) -> tuple[dict[str, Any], Sequence[Any]]:
        content, annotations = read_with_list(self._annotations_path, "annotations")
        if annotations is None or not isinstance(content.get("images"), list):
            raise self._invalid("it has no lists 'images' and 'annotations'")
        self._check_images(content["images"])
        return content, annotations

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


def _names_of(categories: object) -> dict[str, str]:
    """Return the names of categories by their ids as text; a list that is none names nothing."""
    found = [each for each in categories if isinstance(each, dict)] if isinstance(categories, list) else []
    return {shown(each.get("id")): str(each["name"]) for each in found if each.get("name")}


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


def _has_lists(path: Path) -> bool:
    content = path.read_bytes()
    return all(each.search(content) for each in LISTS)
