"""Masks of everything in an image in the JSON layout of SA-1B."""

import json
import math
import os
from typing import Any

from masklet.atomic_files import written_whole
from masklet.automask.masks import AutomaticMasks
from masklet.media.mask_files import annotations_of


def write_sa1b_json(path: str | os.PathLike[str], masks: AutomaticMasks, file_name: str, image_id: int) -> None:
    """Write the masks of an image: `image` (`image_id`, `file_name`, `height`, `width`) and `annotations`.

    An annotation is an object's as `annotations_of` describes it, with `stability_score` (null for an empty mask),
    `point_coords` [[x, y]] and `crop_box` [x, y, width, height]. Boxes are between pixel edges, as COCO's are; those of
    `AutomaticMasks.records` are one pixel smaller. `Sa1bFolder` reads the file beside its image.

    Args:
        path: the file.
        masks: of the image.
        file_name: of the image.
        image_id: a number of the image.
    """
    image = {"image_id": image_id, "file_name": file_name, "height": masks.height, "width": masks.width}
    annotations = [{**each, **origin} for each, origin in zip(annotations_of(masks), _origins(masks), strict=True)]
    with written_whole(path) as unfinished:
        unfinished.write_text(json.dumps({"image": image, "annotations": annotations}), "utf-8")


def _origins(masks: AutomaticMasks) -> list[dict[str, Any]]:
    """Return of each mask what SA-1B knows about where it comes from."""
    return [
        {
            "stability_score": None if math.isnan(stability) else round(stability, 6),
            "point_coords": [point],
            "crop_box": [left, top, right - left, bottom - top],
        }
        for stability, point, (left, top, right, bottom) in zip(
            masks.stability_scores.tolist(), masks.points.tolist(), masks.crop_boxes.tolist(), strict=True
        )
    ]
