"""Objects as COCO and SA-1B write them down: run lengths or polygons in JSON, decoded when they are used."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from masklet.datasets.annotated import MismatchedSizeError
from masklet.masks.geometry import Mask
from masklet.masks.run_length import decode_segmentation


def decoder_of(annotation: Mapping[str, Any], height: int, width: int, place: str) -> Callable[[], Mask]:
    """Return what decodes the mask (bool [height, width]) of an annotation.

    MismatchedSizeError, naming `place`, if its run lengths have another size; KeyError without `segmentation`.
    """
    segmentation = annotation["segmentation"]
    size = segmentation.get("size") if isinstance(segmentation, Mapping) else None
    if size is not None and list(size) != [height, width]:
        number = annotation.get("id")
        sizes = f"{list(size)}, the picture {[height, width]}"
        raise MismatchedSizeError(f"{place}: the mask of annotation {number} has the size (height, width) {sizes}.")
    return partial(decode_segmentation, segmentation, height, width)
