"""Masks as COCO run lengths: column by column, the counts of alternating outside and inside pixels."""

from collections.abc import Mapping
from typing import Any, TypedDict

import numpy as np

from masklet.errors import InvalidInputError
from masklet.json_files import shown
from masklet.masks.counts import Counts, checked_size, code_of, counts_from, counts_of_mask
from masklet.masks.geometry import Mask
from masklet.masks.polygons import counts_of_polygons, polygons_from


class RunLength(TypedDict):
    """A mask in COCO's compressed form, ready for JSON: `size` is [height, width], `counts` COCO's ASCII code."""

    size: list[int]
    counts: str


def encode_run_length(mask: Mask) -> RunLength:
    """Encode `mask` (bool [H, W]) in COCO's compressed run-length form."""
    if mask.ndim != 2:
        raise InvalidInputError(f"A mask to encode has the shape [height, width]; got {list(mask.shape)}.")
    return run_length_of(counts_of_mask(mask), *mask.shape)


def run_length_of(counts: Counts, height: int, width: int) -> RunLength:
    """Return checked counts in COCO's compressed form."""
    return {"size": [height, width], "counts": code_of(counts)}


def compressed(segmentation: object, height: int, width: int) -> RunLength:
    """Return the `segmentation` of a COCO annotation, of any form that `counts_of` takes, in the compressed form."""
    return run_length_of(counts_of(segmentation, height, width), height, width)


def decode_segmentation(segmentation: object, height: int, width: int) -> Mask:
    """Decode the `segmentation` of a COCO annotation into a mask (bool [height, width]); see `counts_of`."""
    return mask_of(counts_of(segmentation, height, width), height, width)


def decode_run_length(run_length: Mapping[str, Any]) -> Mask:
    """Decode COCO run lengths, compressed or not, into a mask (bool [H, W]) of their own size; see `counts_of`."""
    height, width = size_of(run_length)
    return mask_of(counts_of(run_length, height, width), height, width)


def counts_of(segmentation: object, height: int, width: int) -> Counts:
    """Return the checked run lengths of the `segmentation` of a COCO annotation, int64 [R], column by column.

    All forms of COCO are read: compressed run lengths (`counts` is text), uncompressed run lengths (`counts` is a list)
    and polygons, as `polygons_from` describes them, of which the union is taken.

    Raises:
        InvalidInputError: for anything else, for run lengths of another size, and for counts that do not sum to
            height x width: what nobody wrote down is no mask.
    """
    checked_size((height, width))
    if not isinstance(segmentation, Mapping):
        return counts_of_polygons(polygons_from(segmentation)[0], height, width)
    if size_of(segmentation) != (height, width):
        raise InvalidInputError(
            f"The run lengths have the size {shown(segmentation['size'])}, their image [{height}, {width}]."
        )
    return counts_from(segmentation["counts"], height, width)


def size_of(run_length: Mapping[str, Any]) -> tuple[int, int]:
    """Return the (height, width) of COCO run lengths; InvalidInputError if they lack a usable size, or their counts."""
    if not isinstance(run_length, Mapping) or not {"size", "counts"} <= run_length.keys():
        raise InvalidInputError(f"Run lengths need 'size' [height, width] and 'counts'; got {shown(run_length)}.")
    return checked_size(run_length["size"])


def row_counts(mask: Mask) -> Counts:
    """Return the run lengths of a mask (bool [H, W]) row by row, as CVAT and Label Studio have them, int64 [R]."""
    return counts_of_mask(mask.T)


def mask_of(counts: Counts, height: int, width: int) -> Mask:
    """Return the mask (bool [height, width]) of checked run lengths."""
    return columns_of(counts, height, 0, width)


def columns_of(counts: Counts, height: int, first: int, end: int) -> Mask:
    """Return the columns of a mask from `first` to the one before `end` (bool [height, end - first])."""
    edges = np.cumsum(counts).clip(first * height, end * height)
    inside = np.arange(len(counts)) % 2 == 1
    return np.repeat(inside, np.diff(edges, prepend=first * height)).reshape(end - first, height).T
