"""Masks as COCO run lengths: column by column, the counts of alternating outside and inside pixels."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import numpy as np
from pycocotools import mask as coco_mask

from masklet.errors import InvalidInputError
from masklet.masks.geometry import Mask


class RunLength(TypedDict):
    """A mask in COCO's compressed form, ready for JSON: `size` is [height, width], `counts` COCO's ASCII code."""

    size: list[int]
    counts: str


def encode_run_length(mask: Mask) -> RunLength:
    """Encode `mask` (bool [H, W]) in COCO's compressed run-length form."""
    if mask.ndim != 2:
        raise InvalidInputError(f"A mask to encode has the shape [height, width]; got {list(mask.shape)}.")
    encoded = coco_mask.encode(np.asfortranarray(mask, dtype=np.uint8))
    return {"size": [int(side) for side in encoded["size"]], "counts": encoded["counts"].decode("ascii")}


def decode_segmentation(segmentation: Mapping[str, Any] | Sequence[Sequence[float]], height: int, width: int) -> Mask:
    """Decode the `segmentation` of a COCO annotation into a mask (bool [height, width]).

    All three forms of COCO are read: compressed run lengths (`counts` is text), uncompressed run lengths (`counts` is a
    list) and polygons (a list of [x1, y1, x2, y2, ...] in pixels, of which the union is taken). InvalidInputError for
    anything else and for run lengths of another size.
    """
    if isinstance(segmentation, Mapping):
        return decode_run_length(_sized(segmentation, height, width))
    polygons = list(segmentation)
    if any(isinstance(polygon, str) or len(polygon) < 6 or len(polygon) % 2 for polygon in polygons):
        raise InvalidInputError("A polygon is a list of at least three x, y pairs: [x1, y1, x2, y2, x3, y3, ...].")
    if not polygons:
        return np.zeros((height, width), dtype=bool)
    encoded = coco_mask.frPyObjects([list(polygon) for polygon in polygons], height, width)
    return _decode_compressed(coco_mask.merge(encoded))


def decode_run_length(run_length: Mapping[str, Any]) -> Mask:
    """Decode COCO run lengths, compressed or not, into a mask (bool [H, W]); InvalidInputError if malformed."""
    size, counts = run_length.get("size"), run_length.get("counts")
    if size is None or len(size) != 2 or counts is None:
        raise InvalidInputError(
            f"Run lengths need 'size' [height, width] and 'counts'; got the keys {list(run_length)}."
        )
    height, width = int(size[0]), int(size[1])
    if not isinstance(counts, (str, bytes)):
        if sum(counts) != height * width or any(count < 0 for count in counts):
            raise InvalidInputError(f"The counts sum to {sum(counts)} pixels; {height} x {width} has {height * width}.")
        return _alternate(counts).reshape(width, height).T.copy()
    code = counts.encode("ascii") if isinstance(counts, str) else counts
    try:
        return _decode_compressed({"size": [height, width], "counts": code})
    except ValueError as error:
        raise InvalidInputError(f"These run lengths do not describe a {height} x {width} mask: {error}.") from error


def _decode_compressed(compressed: Mapping[str, Any]) -> Mask:
    with warnings.catch_warnings():
        # pycocotools converts its result in a way that numpy 2 warns about.
        warnings.filterwarnings("ignore", message="__array__ implementation doesn't accept a copy keyword")
        return np.asarray(coco_mask.decode(compressed), dtype=bool)


def _alternate(counts: Sequence[int]) -> Mask:
    inside = np.arange(len(counts)) % 2 == 1
    return np.repeat(inside, np.asarray(counts, dtype=np.int64))


def _sized(run_length: Mapping[str, Any], height: int, width: int) -> Mapping[str, Any]:
    if list(run_length.get("size", ())) != [height, width]:
        raise InvalidInputError(
            f"Run lengths of the size {run_length.get('size')} for a picture of [{height}, {width}]."
        )
    return run_length
