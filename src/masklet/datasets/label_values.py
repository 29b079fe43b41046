"""What the values of a mask picture say: object ids, background 0, and 255 which is void or the one object."""

import numpy as np

from masklet.media.label_maps import LabelMap

VOID = 255


def is_black_and_white(values: LabelMap) -> bool:
    """Whether white (255) is the one object, as in DAVIS 2016; with other ids beside it, 255 is void."""
    return set(object_ids_in(values)) <= {VOID}


def object_ids_in(labels: LabelMap) -> list[int]:
    """Return the values above 0 that occur, ascending."""
    return [int(each) for each in np.flatnonzero(np.bincount(labels.ravel(), minlength=1)) if each]


def void_resolved(values: LabelMap, *, black_and_white: bool) -> LabelMap:
    """Return the ids (uint8 [H, W]) with 255 as object 1 if `black_and_white`, or else as background."""
    return np.where(values == VOID, np.uint8(black_and_white), values)
