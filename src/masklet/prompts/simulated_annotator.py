"""The one simulated annotator of training and of interactive evaluation: prompts as a user who knows the object would.

Without arguments it is evaluation's: patient and the same every time, each click at the center point. With a random
generator it is training's, whose clicks lie anywhere in the error region (SAM 2 paper, section 5 and appendix D.2).
"""

from __future__ import annotations  # the random generators of numpy take their time to load

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from masklet.errors import InvalidInputError
from masklet.masks.geometry import Box, Mask, area, bounding_box, center_point


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


MOST_SLACK = 0.1  # of a side of the box
MOST_SLACK_IN_PIXELS = 20.0


@dataclass(frozen=True)
class SimulatedAnnotator:
    """Clicks and boxes derived from the true mask of an object; all masks are bool [H, W].

    Attributes:
        rng: where chance comes from; None: there is none, and the shares must be those that are given by default.
        center_share: how often a click is at the center point, otherwise uniformly anywhere in the region.
        ground_truth_share: how often a correction is a click on the object, whatever was predicted.
        loose_box_share: how often a box is not tight: its sides then lie up to a tenth of its size (and 20 pixels)
            outside. SAM moves them inwards, too; but what a box leaves out it does not ask for.

    Raises `InvalidInputError` for shares outside 0..1, and for chance without a generator.
    """

    rng: np.random.Generator | None = None
    center_share: float = 1.0
    ground_truth_share: float = 0.0
    loose_box_share: float = 0.0

    def __post_init__(self) -> None:
        shares = (self.center_share, self.ground_truth_share, self.loose_box_share)
        if not all(0 <= share <= 1 for share in shares):
            raise InvalidInputError(f"{self}: shares are between 0 and 1.")
        if self.rng is None and shares != (1.0, 0.0, 0.0):
            raise InvalidInputError(f"{self}: an annotator who leaves something to chance needs a random generator.")

    def first_click(self, ground_truth: Mask) -> Click:
        """Return a click on the object; `InvalidInputError` if it is empty."""
        if self._happens(self.center_share) or not ground_truth.any():
            return first_click(ground_truth)
        return self._anywhere_in(ground_truth, ground_truth)

    def box(self, ground_truth: Mask) -> Box:
        """Return the object's box (x1, y1, x2, y2) along pixel edges; `InvalidInputError` if it is empty."""
        tight = bounding_box(ground_truth)
        if tight is None:
            raise InvalidInputError("An empty mask has no box; leave empty masks out.")
        if self.rng is None or not self._happens(self.loose_box_share):
            return tight
        left, top, right, bottom = tight
        sides = np.array([right - left, bottom - top] * 2)
        # Half a normal distribution: small slack is more frequent than much of it.
        slack = np.minimum(np.minimum(np.abs(self.rng.normal(0, 0.05, 4)), MOST_SLACK) * sides, MOST_SLACK_IN_PIXELS)
        x1, y1, x2, y2 = (float(edge) for edge in np.array(tight) + np.array([-1, -1, 1, 1]) * slack)
        return x1, y1, x2, y2

    def correct(self, ground_truth: Mask, predicted: Mask) -> Click | None:
        """Return a click on an error, positive on missed and negative on wrongly included pixels; None without.

        At the center point of the region with more pixels (see `corrective_click`), or uniformly in both.
        """
        if self._happens(self.ground_truth_share):
            predicted = np.zeros_like(ground_truth)
        if self._happens(self.center_share):
            return corrective_click(ground_truth, predicted)
        wrong = ground_truth != predicted
        return self._anywhere_in(wrong, ground_truth) if wrong.any() else None

    def confirm(self, ground_truth: Mask) -> Click:
        """Return a click on what is right anyway: off the object, or on it where it fills the image.

        That is all there is to click on when an object is absent, and when nothing is wrong.
        """
        region = ground_truth if ground_truth.all() else ~ground_truth
        if self._happens(self.center_share):
            return first_click(region)._replace(label=int(ground_truth.all()))
        return self._anywhere_in(region, ground_truth)

    def within_cell(self, click: Click, stride: int) -> Click:
        """Return the click on a cell of `stride` x `stride` pixels as one on a pixel of it, by chance or its middle."""
        x, y = (stride // 2, stride // 2) if self.rng is None else self.rng.integers(0, stride, 2).tolist()
        return Click(click.x * stride + x, click.y * stride + y, click.label)

    def _happens(self, share: float) -> bool:
        return share == 1 if self.rng is None else bool(self.rng.random() < share)

    def _anywhere_in(self, region: Mask, ground_truth: Mask) -> Click:
        assert self.rng is not None  # without chance, every click is at the center point
        y, x = np.unravel_index(self.rng.choice(np.flatnonzero(region)), region.shape)
        return Click(int(x), int(y), int(ground_truth[y, x]))
