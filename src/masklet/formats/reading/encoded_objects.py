"""Objects as COCO and SA-1B write them down: run lengths or polygons in JSON."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from masklet.errors import InvalidInputError
from masklet.formats.reading.annotated import AnnotatedImage, MismatchedSizeError
from masklet.formats.reading.problems import LeftOut
from masklet.json_files import shown
from masklet.masks.counts import Counts, checked_size
from masklet.masks.geometry import Mask
from masklet.masks.polygons import NoOutlineError, counts_of_polygons, polygons_from
from masklet.masks.run_length import counts_of, mask_of, size_of
from masklet.media.images import SIDEWAYS, stored_image, turned_upright


def encoded_image(
    name: str, path: Path, image: Mapping[str, Any], annotations: Sequence[Any], place: str
) -> AnnotatedImage:
    """Return the image `path` with the objects of its annotations.

    Annotations that hold no mask are left out and counted; all others are checked, and decoded when they are used.
    Annotations of the image as it is stored, which has an EXIF orientation on its side, are turned upright with it.

    Args:
        name: what reports call the image.
        path: the image file.
        image: has the `height` and `width` that the annotations are made for.
        annotations: each an object of JSON, with a `segmentation` as `counts_of` reads it.
        place: what errors begin with, the file of the annotations for example.

    Raises:
        MismatchedSizeError: if run lengths have another size than `image`.
        InvalidInputError: naming the annotation, if a mask is broken.
    """
    try:
        height, width = checked_size([image["height"], image["width"]])
    except InvalidInputError as error:
        raise InvalidInputError(f"{place}: {error}") from error
    objects: list[Callable[[], Mask]] = []
    left_out: Counter[LeftOut] = Counter()
    for number, annotation in enumerate(annotations, start=1):
        known = annotation.get("id") if isinstance(annotation, Mapping) else None
        which = f"{place}: annotation {f'number {number}' if known is None else shown(known)}"
        try:
            counts = _counts(annotation, height, width, left_out)
        except MismatchedSizeError as error:
            raise MismatchedSizeError(f"{which}: {error}") from error
        except InvalidInputError as error:
            raise InvalidInputError(f"{which}: {error}") from error
        if counts is not None:
            objects.append(partial(mask_of, counts, height, width))
    return _upright(AnnotatedImage(name, path, height, width, tuple(objects), left_out))


def why_left_out(annotation: Any) -> LeftOut | None:
    """Return why an annotation gives no object, as far as can be seen without decoding it; None if it may give one.

    InvalidInputError if it is no object of JSON.
    """
    if not isinstance(annotation, Mapping):
        raise InvalidInputError(f"An annotation is an object with a 'segmentation'; got {shown(annotation)}.")
    if annotation.get("iscrowd") not in (None, 0, "0"):
        return LeftOut.CROWD
    if not annotation.get("segmentation"):
        return LeftOut.BOX_ONLY if annotation.get("bbox") else LeftOut.NO_MASK
    return None


def _counts(annotation: Any, height: int, width: int, left_out: Counter[LeftOut]) -> Counts | None:
    """Return the run lengths of an annotation's mask; None, which is counted, if it has none."""
    reason = why_left_out(annotation)
    if reason is None:
        try:
            counts = _decoded(annotation["segmentation"], height, width, left_out)
        except NoOutlineError:
            reason = LeftOut.NO_OUTLINE
        else:
            if counts[1::2].any():
                return counts
            reason = LeftOut.NO_PIXEL
    left_out[reason] += 1
    return None


def _decoded(segmentation: Any, height: int, width: int, left_out: Counter[LeftOut]) -> Counts:
    if not isinstance(segmentation, Mapping):
        polygons, without_outline = polygons_from(segmentation)
        if without_outline:
            left_out[LeftOut.PART] += without_outline
        return counts_of_polygons(polygons, height, width)
    if (size := size_of(segmentation)) != (height, width):
        raise MismatchedSizeError(f"the mask has the size (height, width) {list(size)}, the image {[height, width]}.")
    return counts_of(segmentation, height, width)


def _upright(image: AnnotatedImage) -> AnnotatedImage:
    """Return an image with its masks turned upright, if their size is that of the stored image, which is not."""
    stored = stored_image(image.path) if image.height != image.width else None
    if stored is None or stored.orientation not in SIDEWAYS or stored[:2] != (image.height, image.width):
        return image
    objects = tuple(partial(_turned, decode, stored.orientation) for decode in image.objects)
    return replace(image, height=image.width, width=image.height, objects=objects)


def _turned(decode: Callable[[], Mask], orientation: int) -> Mask:
    return turned_upright(decode(), orientation)
