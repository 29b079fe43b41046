"""Annotated images from a folder in the layout of SA-1B: a JSON file of run lengths for each image."""

from pathlib import Path
from typing import Any

from masklet.errors import InvalidInputError
from masklet.formats.reading.annotated import AnnotatedImage
from masklet.formats.reading.encoded_objects import encoded_image
from masklet.formats.reading.json_beside_images import FOLDERS, INNER_FOLDERS, JsonBesideImages


class Sa1bFolder(JsonBesideImages):
    """The images under `root` that have a JSON file of SA-1B.

    The JSON files of `masklet segment` are such, too. Masks may overlap; those of no pixels, and annotations without a
    mask, are left out.
    """

    NAME = "SA-1B"
    LAYOUT = f"IMAGE.jpg beside IMAGE.json, in ROOT, in ROOT/{INNER_FOLDERS} or in {' and '.join(FOLDERS)}"
    KEYS = frozenset({"image", "annotations"})

    def _image(self, image: Path, path: Path, content: Any) -> AnnotatedImage:
        about, annotations = (
            (content.get(key) for key in ("image", "annotations")) if isinstance(content, dict) else (None, None)
        )
        if not isinstance(about, dict) or not {"height", "width"} <= about.keys() or not isinstance(annotations, list):
            raise InvalidInputError(
                f"{path} is not about an image of SA-1B: it has no 'image' with 'height' and 'width', or no list "
                "'annotations'."
            )
        known = [
            each | {"score": each.get("predicted_iou")} if isinstance(each, dict) else each for each in annotations
        ]
        return encoded_image(self._name(image, path), image, about, known, str(path))
