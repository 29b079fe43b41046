"""Masks to and from files: PNG pictures and JSON with COCO run lengths. Files appear only when complete."""

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from masklet.atomic_files import written_whole
from masklet.errors import InvalidInputError, UnreadableImageError
from masklet.masks.geometry import Mask
from masklet.masks.run_length import decode_segmentation, encode_run_length
from masklet.masks.segmentation import Segmentation
from masklet.media.label_maps import MAXIMUM_OBJECT_ID, LabelMap, write_label_map

FilePath = str | os.PathLike[str]


def write_mask_png(path: FilePath, segmentation: Segmentation) -> None:
    """Write the masks as PNG: one object as grey 0 and 255, several as a palette picture of their object ids.

    Where masks of several objects overlap, the one with the highest score shows. InvalidInputError if one of several
    object ids is above 255, the most that a palette holds.
    """
    if len(segmentation) != 1:
        write_label_map(path, label_map_of(segmentation))
        return
    image = Image.fromarray(segmentation.masks[0].astype(np.uint8) * 255)
    with written_whole(path) as unfinished:
        image.save(unfinished, format="PNG")


def label_map_of(segmentation: Segmentation) -> LabelMap:
    """Return the object ids of all pixels; where masks overlap, the one with the highest score shows.

    InvalidInputError if an object id is above 255.
    """
    if max(segmentation.object_ids, default=0) > MAXIMUM_OBJECT_ID:
        raise InvalidInputError(f"A mask PNG holds object ids up to 255; got {segmentation.object_ids}.")
    labels = np.zeros(segmentation.masks.shape[1:], dtype=np.uint8)
    for index in np.argsort(segmentation.scores, kind="stable"):
        labels[segmentation.masks[index]] = segmentation.object_ids[index]
    return labels


def read_mask_png(path: FilePath, object_id: int | None = None) -> Mask:
    """Read a mask (bool [H, W]) from a picture file of any mode.

    Without `object_id` all pixels that are neither zero (black, index 0) nor fully transparent belong to the mask; with
    it those of a palette or grey picture whose value is `object_id`. UnreadableImageError if the file is no picture,
    InvalidInputError if `object_id` is asked of a picture with several colour channels.
    """
    try:
        with Image.open(path) as image:
            mode, values = image.mode, np.asarray(image)
    except (OSError, ValueError, SyntaxError) as error:
        raise UnreadableImageError(f"{path} is not a readable mask picture: {error}.") from error
    if object_id is not None:
        if values.ndim != 2:
            raise InvalidInputError(f"{path} has the mode {mode}; object ids need a palette or grey picture.")
        return np.asarray(values == object_id)
    if mode in {"LA", "RGBA"}:
        return np.asarray(values[..., :-1].any(axis=-1) & (values[..., -1] > 0))
    return np.asarray(values != 0) if values.ndim == 2 else np.asarray(values.any(axis=-1))


def write_mask_json(path: FilePath, segmentation: Segmentation, file_name: str) -> None:
    """Write the masks of the picture `file_name` as JSON, in the manner of SA-1B.

    `image` holds `file_name`, `height` and `width`, `annotations` what `annotations_of` says.
    """
    height, width = segmentation.masks.shape[1:]
    image = {"file_name": file_name, "height": height, "width": width}
    with written_whole(path) as unfinished:
        unfinished.write_text(json.dumps({"image": image, "annotations": annotations_of(segmentation)}), "utf-8")


def annotations_of(segmentation: Segmentation) -> list[dict[str, Any]]:
    """Return one annotation per object, ready for JSON, in the manner of SA-1B.

    Each holds `id` (the object id), `segmentation` (COCO run lengths: `size` [height, width] and `counts`), `bbox`
    [x, y, width, height] in pixels, `area` in pixels and `predicted_iou` (the score).
    """
    boxes = segmentation.boxes.astype(float).tolist()
    return [
        {
            "id": object_id,
            "segmentation": encode_run_length(mask),
            "bbox": [left, top, right - left, bottom - top],
            "area": int(area),
            "predicted_iou": round(float(score), 6),
        }
        for mask, score, object_id, area, (left, top, right, bottom) in zip(
            segmentation.masks, segmentation.scores, segmentation.object_ids, segmentation.areas, boxes, strict=True
        )
    ]


def segmentation_from(annotations: Sequence[Mapping[str, Any]], height: int, width: int) -> Segmentation:
    """Return what `annotations_of` described, without logits; InvalidInputError for masks of another size."""
    masks = [decode_segmentation(each["segmentation"], height, width) for each in annotations]
    return Segmentation(
        masks=np.array(masks, dtype=bool).reshape(-1, height, width),
        scores=np.array([each["predicted_iou"] for each in annotations], dtype=np.float32),
        object_ids=tuple(each["id"] for each in annotations),
    )
