"""Which masks that were found on a frame are objects known already, parts of them, or new: on run lengths, no state.

Of masks that are disjoint, as those of a discovery are, only one can have an IoU above .5 with another mask: two would
each have to share more than half of its pixels. From .5 on there is therefore hardly ever a choice; tracked masks may
overlap, and where they leave one, the best assignment is taken.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from masklet.automask.policy import EverythingPolicy
from masklet.masks.assignment import best_assignment
from masklet.masks.geometry import Box
from masklet.masks.overlap import union_of
from masklet.masks.run_length import RunLength
from masklet.masks.segmentation import Segmentation
from masklet.masks.suppression import containment, mask_ious

Pair = tuple[int, int]

STUFF_SHARE = 0.3  # of the frame
STUFF_BORDERS = 3


@dataclass(frozen=True)
class Association:
    """What the masks found on a frame are, by their places.

    Attributes:
        matches: (place among those found, place among those tracked) of objects that are known.
        parts: what lies in one tracked object.
        new: what may be a new object, a candidate.
        rest: covered by several tracked objects for the most part, or too small or too large.
    """

    matches: tuple[Pair, ...]
    parts: tuple[int, ...]
    new: tuple[int, ...]
    rest: tuple[int, ...]


def associated(found: Segmentation, tracked: Sequence[RunLength], policy: EverythingPolicy) -> Association:
    """Return what each mask found is, given those of the tracked objects on the same frame."""
    ious = mask_ious(found.run_lengths, tracked)
    matches = matched(ious, policy.match)
    inside = containment(found.run_lengths, tracked).max(axis=1, initial=0.0)
    uncovered = 1 - containment(found.run_lengths, [union_of(tracked, found.size)])[:, 0]
    areas, pixels = found.areas, found.height * found.width
    fits = (areas >= policy.least_area(found.size)) & (areas <= policy.max_area * pixels)
    kinds: dict[str, list[int]] = {"parts": [], "new": [], "rest": []}
    known = {place for place, _ in matches}
    for place in (place for place in range(len(found)) if place not in known):
        if not fits[place]:
            kind = "rest"
        elif inside[place] >= policy.contained:
            kind = "new" if policy.parts else "parts"
        else:
            kind = "new" if uncovered[place] >= policy.new_share else "rest"
        kinds[kind].append(place)
    return Association(tuple(matches), **{kind: tuple(places) for kind, places in kinds.items()})


def matched(ious: npt.NDArray[np.float64], least: float) -> list[Pair]:
    """Return the pairs (row, column) of an IoU matrix [n, m] that are `least` or above, each row and column once.

    Those with the largest sum, by row.
    """
    gains = np.where(ious >= least, ious, 0.0)
    rows, columns = best_assignment(gains)
    return [(row, column) for row, column in zip(rows.tolist(), columns.tolist(), strict=True) if gains[row, column]]


def duplicates(run_lengths: Sequence[RunLength], threshold: float) -> list[Pair]:
    """Return the pairs (earlier place, later place) of masks whose IoU is above the threshold."""
    ious = np.triu(mask_ious(run_lengths, run_lengths), 1)
    return [(int(first), int(second)) for first, second in np.argwhere(ious > threshold)]


def streaks(pairs: Collection[Pair], earlier: Mapping[Pair, int]) -> dict[Pair, int]:
    """Return on how many frames in succession each pair was met, those of this frame being `pairs`."""
    return {pair: earlier.get(pair, 0) + 1 for pair in pairs}


def within_budget(importance: Sequence[float], is_stuff: Sequence[bool], free: int) -> list[int]:
    """Return the places of those that there is room for: the most important ones, stuff last; ascending."""
    order = sorted(range(len(importance)), key=lambda place: (is_stuff[place], -importance[place]))
    return sorted(order[: max(free, 0)])


def is_stuff(box: Box, area: int, size: tuple[int, int]) -> bool:
    """Return whether a mask looks like ground, wall or sky: at three borders of its frame, and over 30 % of it."""
    height, width = size
    borders = (box[0] <= 0, box[1] <= 0, box[2] >= width, box[3] >= height)
    return sum(borders) >= STUFF_BORDERS and area > STUFF_SHARE * height * width


def importance(segmentation: Segmentation) -> list[float]:
    """Return how much each object counts where there is no room for all: its score times the side of its area."""
    found: list[float] = (segmentation.scores * np.sqrt(segmentation.areas)).tolist()
    return found
