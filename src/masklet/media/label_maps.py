"""Label maps: images whose values are object ids, how they are read, and how they are written in DAVIS' layout."""

import os
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from PIL import Image

from masklet.atomic_files import written_whole
from masklet.errors import InvalidInputError, UnreadableImageError
from masklet.masks.geometry import Mask
from masklet.media.drawing import object_colour

VOID = 255
"""Of 8 bits: neither object nor background, as in DAVIS; beside 0 alone, the white of a black-and-white mask."""

DEEP_WHITE = 65535
MAXIMUM_OBJECT_ID = VOID - 1
"""Of 8 bits."""

MAXIMUM_DEEP_OBJECT_ID = DEEP_WHITE
"""Of 16 bits, where nothing is void."""

LabelMap = npt.NDArray[np.integer]
"""Object ids [H, W], 0 for the background; uint8 unless the image is deeper."""


class UnknownLabelError(UnreadableImageError):
    """A label map shows an object id that its palette, or the list of its dataset's objects, does not have."""


def values_in(values: LabelMap) -> list[int]:
    """Return the values that occur, none of them negative, ascending."""
    are_low = values.max(initial=0) <= DEEP_WHITE  # counting is faster than sorting
    return [int(each) for each in (np.flatnonzero(np.bincount(values.ravel())) if are_low else np.unique(values))]


def object_ids_in(labels: LabelMap) -> list[int]:
    """Return the values above 0 that occur, ascending."""
    return [each for each in values_in(labels) if each]


def is_black_and_white(values: LabelMap) -> bool:
    """Whether white is the one object, as in DAVIS 2016; with other ids beside it, 255 is void."""
    ids = set(object_ids_in(values))
    return ids <= {VOID} or ids <= {DEEP_WHITE}


def void_resolved(values: LabelMap, *, black_and_white: bool) -> LabelMap:
    """Return the ids with white as object 1 if `black_and_white`, or else void as background.

    Deeper label maps than 8 bits have no void: 255 is the id of an instance.
    """
    if black_and_white:
        return np.where((values == VOID) | (values == DEEP_WHITE), values.dtype.type(1), values)
    return np.where(void_pixels(values, black_and_white=False), values.dtype.type(0), values)


def void_pixels(values: LabelMap, *, black_and_white: bool) -> Mask:
    """Return which pixels are void, bool [H, W]: none if `black_and_white`, or in deeper label maps than 8 bits."""
    has_void = values.dtype == np.uint8 and not black_and_white
    return np.asarray(values == VOID) if has_void else np.zeros(values.shape, dtype=bool)


def check_label_ids(object_ids: Iterable[int]) -> None:
    """Raise InvalidInputError if no label map can hold these object ids: those above 65535."""
    highest = max(object_ids, default=0)
    if highest > MAXIMUM_DEEP_OBJECT_ID:
        raise InvalidInputError(f"Label maps hold object ids up to {MAXIMUM_DEEP_OBJECT_ID}; got {highest}.")


def check_davis_ids(object_ids: Iterable[int]) -> None:
    """Raise InvalidInputError if the layout of DAVIS, 8 bits, cannot hold these object ids: those above 254."""
    highest = max(object_ids, default=0)
    if highest > MAXIMUM_OBJECT_ID:
        raise InvalidInputError(
            f"Label maps in the layout of DAVIS hold object ids up to {MAXIMUM_OBJECT_ID}, as {VOID} is void there; "
            f"got {highest}."
        )


def write_label_map(path: str | os.PathLike[str], labels: LabelMap) -> None:
    """Write object ids [H, W] as PNG: uint8 indexed, so that every object has its colour, uint16 as grey of 16 bits."""
    if labels.dtype not in (np.uint8, np.uint16) or labels.ndim != 2:
        raise InvalidInputError(f"A label map is uint8 or uint16 [H, W]; got {labels.dtype} {list(labels.shape)}.")
    image = Image.fromarray(labels)
    if labels.dtype == np.uint8:
        image.putpalette([channel for each in range(VOID + 1) for channel in object_colour(each)])
    with written_whole(path) as unfinished:
        image.save(unfinished, format="PNG")
