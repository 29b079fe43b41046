"""The clicks that a patient user would make, derived from the ground truth: for evaluation and training."""

from typing import NamedTuple

from masklet.errors import InvalidInputError
from masklet.masks.geometry import Mask, area, center_point


class Click(NamedTuple):
    """One click on the pixel (x, y): label 1 for "this belongs to the object", 0 for "this does not"."""

    x: int
    y: int
    label: int


def first_click(ground_truth: Mask) -> Click:
    """Return the click at the center of `ground_truth` (bool [H, W]), where its distance transform is largest.

    Raises:
        InvalidInputError: if it is empty.
    """
    point = center_point(ground_truth)
    if point is None:
        raise InvalidInputError("An empty mask has no point to click on; leave empty masks out.")
    return Click(*point, label=1)


def corrective_click(ground_truth: Mask, predicted: Mask) -> Click | None:
    """Return the click that corrects `predicted` toward `ground_truth` (both bool [H, W]), or None if they are equal.

    There are two error regions: the missed pixels and the wrongly included ones. The click goes to the center point
    of the one with more pixels (the missed one if equal), positive for missed, negative for wrongly included pixels.
    """
    missed = ground_truth & ~predicted
    wrongly_included = predicted & ~ground_truth
    label = int(area(missed) >= area(wrongly_included))
    point = center_point(missed if label else wrongly_included)
    return None if point is None else Click(*point, label=label)
