"""The raw material of scenes: images, material swatches and single objects."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from masklet.datasets.scenes.cutouts import Cutout, around_mask, mostly_in_one_piece, recoloured, transparent_cutouts
from masklet.datasets.scenes.layers import ByteArray
from masklet.errors import InvalidInputError, UnreadableImageError
from masklet.folders import matching
from masklet.json_files import is_file_name, read_json, shown, whole_number
from masklet.media.image_files import opened_image

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
LABEL_FOLDER = "panoptic"
LONGEST_SIDE = 640
SMALLEST_SIDE = 48
Segment = tuple[int, bool]  # its id, and whether it is a countable object (COCO's "thing")
DRAWN_SHARE = 0.5  # of the pasted objects, where there are cut-outs and drawings


@dataclass(frozen=True)
class LabelledImage:
    """An image uint8 [height, width, 3] with its segments: `labels` uint8 [height, width], 0 for unknown.

    `things` are the labels of countable objects; `stuff` those of regions such as sky or road.
    """

    image: ByteArray
    labels: ByteArray
    things: tuple[int, ...]
    stuff: tuple[int, ...]


@dataclass(frozen=True)
class ImageBank:
    """Decoded images, RGB, at most 640 pixels on their longest side. Swatches are small pieces of one material.

    `cutouts` are the countable objects of labelled images; `drawings` the objects of images with transparent
    surroundings.
    """

    images: tuple[ByteArray, ...]
    swatches: tuple[ByteArray, ...]
    labelled: tuple[LabelledImage, ...]
    cutouts: tuple[Cutout, ...]
    drawings: tuple[Cutout, ...] = ()

    @classmethod
    def load(cls, folders: Sequence[Path], panoptic_folder: Path | None = None) -> "ImageBank":
        """Decode every image below `folders` once, in sorted order.

        `panoptic_folder` holds a COCO panoptic json file (named panoptic*.json), `images/` and `panoptic/`; its
        images join the bank with their segments. Label images (below any folder named "panoptic") are never
        taken for images. Raises InvalidInputError where there is none, UnreadableImageError for a broken one.
        """
        labelled = tuple(_read_panoptic(Path(panoptic_folder))) if panoptic_folder is not None else ()
        images = [example.image for example in labelled]
        swatches: list[ByteArray] = []
        drawings: list[Cutout] = []
        for path in _image_paths(folders, skip=panoptic_folder):
            objects = transparent_cutouts(path)
            if objects is not None:
                drawings.extend(objects)
                continue
            image = read_rgb(path)
            pieces = cut_swatch_sheet(image)
            swatches.extend(pieces)
            if not pieces and min(image.shape[:2]) >= SMALLEST_SIDE:
                images.append(bounded(image))
        if not images and not swatches and not drawings:
            raise InvalidInputError(f"no images ({', '.join(sorted(IMAGE_SUFFIXES))}) below {list(map(str, folders))}")
        cutouts = tuple(cutout for example in labelled for cutout in cut_out_objects(example))
        return cls(tuple(images), tuple(swatches), labelled, cutouts, tuple(drawings))

    @property
    def has_objects(self) -> bool:
        """True if there is any single object to paste."""
        return bool(self.cutouts or self.drawings)

    def any_object(self, rng: np.random.Generator) -> Cutout:
        """Choose a real object or a drawing, which is recoloured every time. Needs `has_objects`."""
        is_drawn = bool(self.drawings) and (not self.cutouts or rng.random() < DRAWN_SHARE)
        if not is_drawn:
            return self.cutouts[rng.integers(len(self.cutouts))]
        drawing = self.drawings[rng.integers(len(self.drawings))]
        return recoloured(rng, drawing, self.swatches[rng.integers(len(self.swatches))] if self.swatches else None)


def read_rgb(path: Path) -> ByteArray:
    """Decode an image file to RGB uint8 [height, width, 3]; UnreadableImageError as `opened_image` raises it."""
    with opened_image(path):
        pixels = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR_RGB)
        if pixels is None:
            raise UnreadableImageError(f"cannot decode {path}")
    return np.asarray(pixels, np.uint8)


def bounded(image: ByteArray, interpolation: int = cv2.INTER_AREA) -> ByteArray:
    """Return the image [height, width(, 3)], shrunk where its longest side is above 640 pixels."""
    height, width = image.shape[:2]
    scale = LONGEST_SIDE / max(height, width)
    if scale >= 1:
        return image
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(image, size, interpolation=interpolation).astype(np.uint8, copy=False)


def cut_swatch_sheet(image: ByteArray) -> list[ByteArray]:
    """Return the swatches of an ambientCG preview sheet: 7 columns of 128 pixel squares on white, each above its name.

    Empty for any other image.
    """
    height, width = image.shape[:2]
    if width != 1024 or height % 176 != 32 or image[:12].min() < 240:
        return []
    cells = [
        image[top : top + 128, left : left + 128]
        for top in range(16, height - 128, 176)
        for left in range(16, width - 128, 144)
    ]
    return [piece for piece in map(_without_white_border, cells) if min(piece.shape[:2]) >= SMALLEST_SIDE]


def cut_out_objects(example: LabelledImage) -> Iterator[Cutout]:
    """Return the objects of a labelled image that are large enough and mostly in one piece."""
    for label in example.things:
        mask = (example.labels == label).astype(np.uint8) * np.uint8(255)
        if mostly_in_one_piece(mask):
            yield around_mask(example.image, mask)


def _without_white_border(piece: ByteArray) -> ByteArray:
    inked = piece.min(axis=2) < 248
    rows, columns = np.flatnonzero(inked.mean(axis=1) > 0.5), np.flatnonzero(inked.mean(axis=0) > 0.5)
    if not rows.size or not columns.size:
        return piece[:0]
    return piece[rows[0] + 2 : rows[-1] - 1, columns[0] + 2 : columns[-1] - 1]


def _image_paths(folders: Sequence[Path], skip: Path | None) -> list[Path]:
    paths: set[Path] = set()
    for folder in map(Path, folders):
        if not folder.is_dir():
            raise InvalidInputError(f"not a folder of images: {folder}")
        found = (path for path in matching(folder, "**/*") if path.suffix.lower() in IMAGE_SUFFIXES)
        paths.update(path for path in found if path.is_file())
    return sorted(
        path
        for path in paths
        if LABEL_FOLDER not in path.parts[:-1] and (skip is None or not path.is_relative_to(skip))
    )


def _read_panoptic(folder: Path) -> Iterator[LabelledImage]:
    files = matching(folder, "panoptic*.json")
    if len(files) != 1:
        raise InvalidInputError(f"{folder} must hold exactly one panoptic*.json, found {[file.name for file in files]}")
    document = read_json(files[0])
    try:
        described = _described(document)
    except (LookupError, TypeError, InvalidInputError) as error:
        reason = f"{error} is missing" if isinstance(error, LookupError) else error
        raise InvalidInputError(f"{files[0]} is not in COCO's panoptic format: {reason}") from error
    for image_name, label_name, segments in described:
        image = read_rgb(folder / "images" / image_name)
        yield _labelled(image, read_rgb(folder / LABEL_FOLDER / label_name), segments)


def _described(document: Any) -> list[tuple[str, str, list[Segment]]]:
    """Return the image, the label image and the segments of each annotation, in the order of the images' ids."""
    countable = {category["id"] for category in document["categories"] if category["isthing"]}
    names = {each["id"]: each["file_name"] for each in document["images"]}
    by_image = sorted(document["annotations"], key=lambda each: whole_number(each["image_id"], "image_id"))
    described = []
    for annotation in by_image:
        files = names[annotation["image_id"]], annotation["file_name"]
        if not all(map(is_file_name, files)):
            raise InvalidInputError(f"An annotation names the files {shown(files)}; expected two names of files.")
        usable = [segment for segment in annotation["segments_info"] if not segment["iscrowd"]][:255]
        segments = [(whole_number(each["id"], "a segment's id"), each["category_id"] in countable) for each in usable]
        described.append((*files, segments))
    return described


def _labelled(image: ByteArray, colours: ByteArray, segments: Sequence[Segment]) -> LabelledImage:
    """`colours` is COCO's coding of segment ids: red + 256 green + 65536 blue."""
    ids = colours.astype(np.int64) @ np.array([1, 256, 65536])
    labels = np.zeros(ids.shape, np.uint8)
    for label, (segment, _) in enumerate(segments, start=1):
        labels[ids == segment] = label
    kinds = [(label, is_thing) for label, (_, is_thing) in enumerate(segments, start=1)]
    return LabelledImage(
        image=bounded(image),
        labels=bounded(labels, cv2.INTER_NEAREST),
        things=tuple(label for label, is_thing in kinds if is_thing),
        stuff=tuple(label for label, is_thing in kinds if not is_thing),
    )
