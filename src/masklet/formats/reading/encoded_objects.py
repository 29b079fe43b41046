"""Objects as COCO and SA-1B write them down: run lengths or polygons in JSON."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from masklet.errors import InvalidInputError
from masklet.formats.reading.annotated import CATEGORY, AnnotatedImage, AnnotatedObject, MismatchedSizeError
from masklet.formats.reading.problems import LeftOut
from masklet.json_files import is_finite_number, shown, whole_number
from masklet.masks.counts import Counts, checked_size
from masklet.masks.geometry import Mask
from masklet.masks.polygons import NoOutlineError, counts_of_polygons, polygons_from
from masklet.masks.run_length import counts_of, decode_segmentation, mask_of, size_of
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
        annotations: each an object of JSON, with a `segmentation` as `counts_of` reads it, and perhaps `category` (its
            name), `object_id` and `score`.
        place: what errors begin with, the file of the annotations for example.

    Raises:
        MismatchedSizeError: if run lengths have another size than `image`.
        InvalidInputError: naming the annotation, if a mask is broken.
    """
    try:
        height, width = checked_size([image["height"], image["width"]])
    except InvalidInputError as error:
        raise InvalidInputError(f"{place}: {error}") from error
    objects: list[AnnotatedObject] = []
    crowds: list[AnnotatedObject] = []
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
            objects.append(_described(annotation, partial(mask_of, counts, height, width)))
        elif why_left_out(annotation) is LeftOut.CROWD and annotation.get("segmentation"):
            decode = partial(decode_segmentation, annotation["segmentation"], height, width)
            crowds.append(_described(annotation, decode))
    return _upright(AnnotatedImage(name, path, height, width, tuple(objects), left_out, tuple(crowds)))


def _described(annotation: Mapping[str, Any], mask: Callable[[], Mask]) -> AnnotatedObject:
    """Return an object by what an annotation says of it; what is no name, id or score says nothing."""
    category, object_id, score = (annotation.get(each) for each in ("category", "object_id", "score"))
    try:
        number = None if object_id is None else whole_number(object_id, "An object id", 1)
    except InvalidInputError:
        number = None
    return AnnotatedObject(
        mask,
        category if isinstance(category, str) and category else CATEGORY,
        number,
        float(score) if is_finite_number(score) else None,
    )


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
    objects, crowds = (
        tuple(replace(each, mask=partial(_turned, each.mask, stored.orientation)) for each in regions)
        for regions in (image.objects, image.crowds)
    )
    return replace(image, height=image.width, width=image.height, objects=objects, crowds=crowds)


def _turned(decode: Callable[[], Mask], orientation: int) -> Mask:
    return turned_upright(decode(), orientation)
