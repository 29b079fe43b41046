"""Which of the masks that were found on a frame are taken up."""

import numpy as np
import numpy.typing as npt

from masklet.automask.association import importance, is_stuff, within_budget
from masklet.automask.policy import EverythingPolicy
from masklet.masks.segmentation import Segmentation
from masklet.masks.suppression import flat_layers, without_contained

NESTED = 0.85  # so much of a mask lies in the one that it is a part of
LEFT = 0.5  # so much of a mask has to be left beside surer ones


def prepared_masks(found: Segmentation, policy: EverythingPolicy) -> Segmentation:
    """Return those of the masks found that are neither too small nor too large, disjoint, in the granularity asked for.

    Ground, walls and sky are no wholes: what stands before them is no part of them, and keeps its pixels.
    """
    found = _sized(found, policy)
    if policy.granularity == "surest":
        surest_first = np.lexsort((-found.scores, _is_stuff(found))).tolist()
        return _sized(flat_layers(found, surest_first, LEFT), policy)
    if policy.granularity == "wholes":
        grounds = np.flatnonzero(stuff := _is_stuff(found))
        things = np.flatnonzero(~stuff)
        wholes = things[without_contained([found.run_lengths[place] for place in things], NESTED, keep="wholes")]
        found = found.taken(np.sort(np.concatenate([wholes, grounds])))
    return _sized(flat_layers(found), policy)


def roomy(found: Segmentation, free: int) -> Segmentation:
    """Return those of the masks found that there is room for, which is for so many."""
    return found.taken(within_budget(importance(found), _is_stuff(found).tolist(), free))


def _sized(found: Segmentation, policy: EverythingPolicy) -> Segmentation:
    areas, pixels = found.areas, found.height * found.width
    return found.taken(np.flatnonzero((areas >= policy.least_area(found.size)) & (areas <= policy.max_area * pixels)))


def _is_stuff(found: Segmentation) -> npt.NDArray[np.bool_]:
    shapes = zip(found.boxes.tolist(), found.areas.tolist(), strict=True)
    return np.array([is_stuff(box, area, found.size) for box, area in shapes], dtype=bool)
