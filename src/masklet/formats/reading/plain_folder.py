"""Annotated images from a folder of images and a folder of mask images."""

import os
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np

from masklet.errors import InvalidInputError
from masklet.folders import folders_in
from masklet.formats.reading.annotated import AnnotatedImage, AnnotatedObject, MismatchedSizeError
from masklet.formats.reading.annotation_files import by_stem
from masklet.formats.reading.problems import Problem, ProblemKind
from masklet.masks.geometry import Mask
from masklet.media.frame_folders import frames_of_folder
from masklet.media.label_maps import LabelMap, is_black_and_white, object_ids_in, void_resolved
from masklet.media.mask_images import read_label_map

IMAGE_FOLDERS = ("images", "image", "imgs", "JPEGImages")
MASK_FOLDERS = ("masks", "mask", "labels", "annotations", "SegmentationObject", "Annotations")
EXACT_SUFFIXES = {".png", ".bmp", ".tif", ".tiff"}
MASK_NAME = re.compile(r"(?P<image>.+?)[_-](?:(?:cp_)?masks?|gt|labels?|seg(?:mentation)?)?[_-]?\d*")
"""truck_mask, truck-gt, truck_3, truck_mask_3 and truck_cp_masks (of Cellpose) all belong to truck."""


class PlainFolder:
    """The images of `root/images` with the objects that the mask images of `root/masks` show.

    The masks of `truck.jpg` are `truck.png`, or `truck_mask.png`, or several as `truck_1.png`, `truck_2.png` or any
    names in a folder `truck`. A black-and-white mask (0 and 255, or one other value) is one object; in an indexed one
    every value above 0 is one, except 255, which is void. Other names of the two folders: IMAGE_FOLDERS,
    MASK_FOLDERS. InvalidInputError if a folder is missing or two images have one name but for the suffix.
    """

    NAME = "images and masks"
    LAYOUT = "images/IMAGE.jpg and masks/IMAGE.png (indexed or black and white), or masks/IMAGE/OBJECT.png"

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = Path(root)
        self._images_folder, self._masks_folder = _folders(self.root)
        names_of = {path: self._possible_images(path) for path in _mask_files(self._masks_folder)}
        self._images = by_stem(frames_of_folder(self._images_folder), {*chain.from_iterable(names_of.values())})
        self._masks: dict[str, list[Path]] = defaultdict(list)
        self._unpaired: list[Path] = []
        for path, names in names_of.items():
            name = next((each for each in names if each in self._images), None)
            if name is None:
                self._unpaired.append(path)
            else:
                self._masks[name].append(path)
        self._names = [name for name in self._images if name in self._masks]

    @classmethod
    def recognises(cls, root: Path) -> bool:
        """Return whether there are two such folders."""
        return all(_first_folder(root, names) is not None for names in (IMAGE_FOLDERS, MASK_FOLDERS))

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[AnnotatedImage]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> AnnotatedImage:
        """Return image `index` in the order of names; UnreadableImageError if its masks cannot be read."""
        paths = self._masks[self._names[index]]
        label_maps = [read_label_map(path) for path in paths]
        height, width = label_maps[0].shape
        for path, labels in zip(paths, label_maps, strict=True):
            if labels.shape != (height, width):
                sizes = f"{list(labels.shape)}, {paths[0]} {[height, width]}"
                raise MismatchedSizeError(f"{path} has the size (height, width) {sizes}.")
        objects = tuple(each for labels in label_maps for each in _objects_of(labels))
        return AnnotatedImage(self.name_of(index), self.path_of(index), height, width, objects)

    def path_of(self, index: int) -> Path:
        """Return the file of image `index` in the order of names."""
        return self._images[self._names[index]]

    def name_of(self, index: int) -> str:
        """Return the file name of image `index`."""
        return self.path_of(index).name

    def files_of(self, index: int) -> tuple[Path, ...]:
        """Return image `index` and its masks."""
        return (self.path_of(index), *self._masks[self._names[index]])

    def problems(self) -> Iterator[Problem]:
        """Yield masks without image, images without mask and masks in JPEG; reads names only."""
        for path in self._unpaired:
            detail = f"{self._images_folder} has no image of that name"
            yield Problem(ProblemKind.MASK_WITHOUT_IMAGE, str(path), detail)
        for name, path in self._images.items():
            if name not in self._masks:
                yield Problem(ProblemKind.IMAGE_WITHOUT_MASK, str(path), f"{self._masks_folder} has no mask of it")
        for path in sorted(path for paths in self._masks.values() for path in paths):
            if path.suffix.lower() not in EXACT_SUFFIXES:
                detail = f"{path.suffix} does not keep values exactly; masks are {', '.join(sorted(EXACT_SUFFIXES))}"
                yield Problem(ProblemKind.BROKEN_ANNOTATIONS, str(path), detail)

    def _possible_images(self, mask: Path) -> list[str]:
        """Return the names of the image that a mask can be of, the likeliest first."""
        if mask.parent != self._masks_folder:
            return [mask.parent.name]
        match = MASK_NAME.fullmatch(mask.stem)
        return [mask.stem, match["image"]] if match else [mask.stem]


def _objects_of(labels: LabelMap) -> Iterator[AnnotatedObject]:
    resolved = void_resolved(labels, black_and_white=is_black_and_white(labels))
    return (AnnotatedObject(partial(_mask_of, resolved, each)) for each in object_ids_in(resolved))


def _mask_of(labels: LabelMap, object_id: int) -> Mask:
    return np.asarray(labels == object_id)


def _folders(root: Path) -> tuple[Path, Path]:
    images, masks = (_first_folder(root, names) for names in (IMAGE_FOLDERS, MASK_FOLDERS))
    if images is None or masks is None:
        names = f"one of {', '.join(IMAGE_FOLDERS)} and one of {', '.join(MASK_FOLDERS)}"
        raise InvalidInputError(f"{root} has not the two folders of images and masks: {names}.")
    return images, masks


def _first_folder(root: Path, names: tuple[str, ...]) -> Path | None:
    return next((root / each for each in names if (root / each).is_dir()), None)


def _mask_files(folder: Path) -> list[Path]:
    return [path for each in (folder, *folders_in(folder)) for path in frames_of_folder(each)]
