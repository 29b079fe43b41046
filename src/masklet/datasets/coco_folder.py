"""Annotated pictures from a folder in COCO's instance format."""

import json
import os
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from masklet.datasets.annotated import AnnotatedImage
from masklet.errors import InvalidInputError
from masklet.masks.run_length import decode_segmentation

ANNOTATIONS = "annotations.json"


class CocoFolder:
    """The pictures of `root/images` with the objects of `root/annotations.json` (COCO instances), in the file's order.

    Masks are decoded while iterating. Crowd annotations and empty masks are skipped, so a picture may come without any
    object. InvalidInputError, naming the file, if the annotations are missing or not in COCO's format.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = Path(root)
        self._annotations_path = self.root / ANNOTATIONS
        content = self._read_annotations()
        self._images: list[dict[str, Any]] = content["images"]
        self._annotations_of_image: dict[Any, list[dict[str, Any]]] = defaultdict(list)
        try:
            for annotation in content["annotations"]:
                self._annotations_of_image[annotation["image_id"]].append(annotation)
        except (KeyError, TypeError) as error:
            raise self._invalid(f"an annotation has no image_id ({error!r})") from error

    def __len__(self) -> int:
        return len(self._images)

    def __iter__(self) -> Iterator[AnnotatedImage]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> AnnotatedImage:
        """Return the picture that is number `index` in the annotations; InvalidInputError if these are broken."""
        image = self._images[index]
        try:
            name, height, width = str(image["file_name"]), int(image["height"]), int(image["width"])
            decoders = [
                partial(decode_segmentation, each["segmentation"], height, width) for each in self._objects(image["id"])
            ]
            visible = tuple(decode for decode in decoders if decode().any())
        except (KeyError, TypeError, ValueError) as error:
            raise self._invalid(f"at the image {image}: {error!r}") from error
        return AnnotatedImage(name, self.root / "images" / name, height, width, visible)

    def _objects(self, image_id: Any) -> list[dict[str, Any]]:
        return [each for each in self._annotations_of_image.get(image_id, ()) if not each.get("iscrowd", 0)]

    def _read_annotations(self) -> dict[str, Any]:
        if not self._annotations_path.is_file():
            raise InvalidInputError(
                f"{self._annotations_path} does not exist; expected images/ and {ANNOTATIONS} there."
            )
        try:
            content = json.loads(self._annotations_path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise self._invalid(f"not JSON ({error})") from error
        lists = ("images", "annotations")
        if not isinstance(content, dict) or not all(isinstance(content.get(key), list) for key in lists):
            raise self._invalid("it has no lists 'images' and 'annotations'")
        return content

    def _invalid(self, reason: str) -> InvalidInputError:
        return InvalidInputError(f"{self._annotations_path} is not a COCO instances file: {reason}.")
