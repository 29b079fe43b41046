"""Masks to files, PNG images and JSON with COCO run lengths, and back from JSON. Files appear only when complete."""

import json
import os
from collections.abc import Iterable, Mapping
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from masklet.atomic_files import written_whole
from masklet.errors import InvalidInputError
from masklet.json_files import is_finite_number, shown, whole_number
from masklet.masks.geometry import Mask
from masklet.masks.run_length import RunLength, compressed
from masklet.masks.segmentation import Segmentation
from masklet.media.drawing import largest_first
from masklet.media.label_maps import MAXIMUM_OBJECT_ID, LabelMap, check_label_ids, write_label_map

FilePath = str | os.PathLike[str]


def write_mask_png(path: FilePath, segmentation: Segmentation) -> None:
    """Write the masks as PNG: one object as grey 0 and 255, several as a label map of their object ids.

    The label map is indexed up to the id 254, and grey of 16 bits beyond. Where masks of several objects overlap, the
    one with the highest score shows. InvalidInputError if one of several object ids is above 65535.
    """
    if len(segmentation) != 1:
        write_label_map(path, label_map_of(segmentation))
        return
    write_mask(path, segmentation.mask(0))


def write_mask(path: FilePath, mask: Mask) -> None:
    """Write one mask (bool [H, W]) as PNG, grey 0 and 255."""
    with written_whole(path) as unfinished:
        unfinished.write_bytes(encoded_mask(mask))


def encoded_mask(mask: Mask) -> bytes:
    """Return a PNG of one mask (bool [H, W]), grey 0 and 255."""
    encoded = BytesIO()
    Image.fromarray(mask.astype(np.uint8) * 255).save(encoded, format="PNG")
    return encoded.getvalue()


def label_map_of(segmentation: Segmentation, *, is_deep: bool = False) -> LabelMap:
    """Return the object ids of all pixels; where masks overlap, the one with the highest score shows.

    They are uint8 up to the id 254, uint16 beyond and where `is_deep`. InvalidInputError if an object id is above
    65535.
    """
    is_deep = is_deep or max(segmentation.object_ids, default=0) > MAXIMUM_OBJECT_ID
    worst_first: list[int] = np.argsort(segmentation.scores, kind="stable").tolist()
    return _drawn(segmentation, worst_first, np.uint16 if is_deep else np.uint8)


def _drawn(segmentation: Segmentation, places: Iterable[int], depth: type[np.uint8 | np.uint16]) -> LabelMap:
    """Return the object ids of all pixels [H, W], drawn in the order of `places`."""
    check_label_ids(segmentation.object_ids)
    labels = np.zeros(segmentation.size, dtype=depth)
    for place in places:
        labels[segmentation.mask(place)] = segmentation.object_ids[place]
    return labels


def write_layered_label_map(path: FilePath, segmentation: Segmentation) -> None:
    """Write object ids [H, W] as PNG, grey of 16 bits; where masks overlap, the smallest shows.

    InvalidInputError if an object id is above 65535.
    """
    write_label_map(path, _drawn(segmentation, largest_first(segmentation), np.uint16))


def write_mask_json(
    path: FilePath, segmentation: Segmentation, file_name: str, categories: Mapping[int, str] | None = None
) -> None:
    """Write the masks of the image `file_name` as JSON, in the manner of SA-1B.

    `image` holds `file_name`, `height` and `width`, `annotations` those of `annotations_of`, with the `category` of
    objects whose ids `categories` names.
    """
    image = {"file_name": file_name, "height": segmentation.height, "width": segmentation.width}
    known = categories or {}
    annotations = [
        each | ({"category": known[each["id"]]} if each["id"] in known else {}) for each in annotations_of(segmentation)
    ]
    with written_whole(path) as unfinished:
        unfinished.write_text(json.dumps({"image": image, "annotations": annotations}), "utf-8")


def annotations_of(segmentation: Segmentation) -> list[dict[str, Any]]:
    """Return one annotation per object, ready for JSON, in the manner of SA-1B.

    Each holds `id` (the object id), `segmentation` (COCO run lengths: `size` [height, width] and `counts`), `bbox`
    [x, y, width, height] in pixels, `area` in pixels and `predicted_iou` (the score).
    """
    boxes = segmentation.boxes.astype(float).tolist()
    return [
        {
            "id": object_id,
            "segmentation": run_length,
            "bbox": [left, top, right - left, bottom - top],
            "area": int(area),
            "predicted_iou": round(float(score), 6),
        }
        for run_length, score, object_id, area, (left, top, right, bottom) in zip(
            segmentation.run_lengths,
            segmentation.scores,
            segmentation.object_ids,
            segmentation.areas,
            boxes,
            strict=True,
        )
    ]


def segmentation_from(annotations: object, height: int, width: int) -> Segmentation:
    """Return what `annotations_of` described, without logits.

    InvalidInputError, naming the object, for anything else and for masks of another size.
    """
    if not isinstance(annotations, list):
        raise InvalidInputError(f"Expected a list of annotations, one an object; got {shown(annotations)}.")
    objects = [_object_from(each, height, width) for each in annotations]
    return Segmentation.from_run_lengths(
        [run_length for _, _, run_length in objects],
        (height, width),
        scores=np.array([score for _, score, _ in objects], dtype=np.float32),
        object_ids=[object_id for object_id, _, _ in objects],
    )


def _object_from(annotation: object, height: int, width: int) -> tuple[int, float, RunLength]:
    """Return the id, the score and the run lengths of an annotation."""
    if not isinstance(annotation, Mapping):
        raise InvalidInputError(f"An annotation is an object with an id; got {shown(annotation)}.")
    object_id, score = whole_number(annotation.get("id"), "The id of an object", 1), annotation.get("predicted_iou")
    if not is_finite_number(score):
        raise InvalidInputError(f"The predicted_iou of object {object_id} is a finite number; got {shown(score)}.")
    try:
        return object_id, score, compressed(annotation.get("segmentation"), height, width)
    except InvalidInputError as error:
        raise InvalidInputError(f"The mask of object {object_id}: {error}") from error
