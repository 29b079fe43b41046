"""Annotated pictures from a folder in COCO's instance format."""

import json
import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from masklet.errors import InvalidInputError, UnreadableImageError
from masklet.masks.geometry import Mask
from masklet.masks.run_length import decode_segmentation
from masklet.media.images import read_image

ANNOTATIONS = "annotations.json"


@dataclass(frozen=True, eq=False)
class AnnotatedImage:
    """One picture file with the masks (bool [N, H, W]) of its N objects; `name` is its file name in the annotations."""

    path: Path
    masks: Mask
    name: str

    def read_pixels(self) -> npt.NDArray[np.uint8]:
        """Return the picture upright as RGB, uint8 [H, W, 3]; UnreadableImageError if its size is not the masks'."""
        pixels = np.array(read_image(self.path))
        if pixels.shape[:2] != self.masks.shape[1:]:
            sizes = f"{list(pixels.shape[:2])}, its annotations say {list(self.masks.shape[1:])}"
            raise UnreadableImageError(f"{self.path} has the size (height, width) {sizes}.")
        return pixels


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
        for image in self._images:
            try:
                name, size = str(image["file_name"]), (int(image["height"]), int(image["width"]))
                masks = [self._decode(annotation, *size) for annotation in self._objects(image["id"])]
            except (KeyError, TypeError, ValueError) as error:
                raise self._invalid(f"at the image {image}: {error!r}") from error
            masks = [mask for mask in masks if mask.any()]
            yield AnnotatedImage(self.root / "images" / name, np.array(masks, dtype=bool).reshape(-1, *size), name)

    def _objects(self, image_id: Any) -> list[dict[str, Any]]:
        return [each for each in self._annotations_of_image.get(image_id, ()) if not each.get("iscrowd", 0)]

    @staticmethod
    def _decode(annotation: dict[str, Any], height: int, width: int) -> Mask:
        return decode_segmentation(annotation["segmentation"], height, width)

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
