"""Which annotated objects automatic masks find: COCO's average recall, kept apart by object.

COCO's recall at a threshold is the share of annotated objects that a mask is matched with; its average recall is the
mean over ten thresholds. The mean over objects of the share of thresholds at which each is found is the same number,
and has an interval. `tests/unit/evaluation/everything` holds it to pycocotools' `COCOeval` with one category.
"""

import numpy as np
import numpy.typing as npt

THRESHOLDS = np.linspace(0.5, 0.95, 10)
LIMITS = (10, 100, 1000)
"""How many masks of an image are looked at, the best first."""

LARGEST_SMALL, LARGEST_MEDIUM = 32**2, 96**2
AREAS = {
    "small": (0, LARGEST_SMALL),
    "medium": (LARGEST_SMALL, LARGEST_MEDIUM),
    "large": (LARGEST_MEDIUM, np.inf),
}
"""The least and the largest number of pixels of an object of each size, both included."""

NEVER = np.iinfo(np.int64).max
"""The rank of the mask of an object that none is matched with."""

PART_SHARE = 0.9
"""How much of an object lies in another one, at least, to be a part of it."""


def recall_name(limit: int, group: str = "") -> str:
    """Return the name of the average recall of up to `limit` masks, of all objects or of a group: "AR@10 small"."""
    return f"AR@{limit} {group}".rstrip()


def recall_values(
    ious: npt.NDArray[np.floating], areas: npt.NDArray[np.integer], is_part: npt.NDArray[np.bool_]
) -> dict[str, tuple[float, ...]]:
    """Return the share of thresholds at which each object is found, by limit and group of objects.

    Args:
        ious: of each of the d masks, the best one first, with each of the g objects, [d, g].
        areas: of the objects in pixels, [g].
        is_part: whether an object is part of another, [g].

    Returns:
        `recall_name` of every limit and of every limit and group ("small", "medium", "large", "whole", "part"), with
        the values (0 to 1) of the objects of the group in their order; groups without any are left out.
    """
    everyone = np.zeros(len(areas), dtype=bool)
    matched = matched_ranks(ious, everyone)
    found = {"": matched, "whole": matched[:, ~is_part], "part": matched[:, is_part]}
    for size, (least, largest) in AREAS.items():
        is_other = (areas < least) | (areas > largest)
        found[size] = matched_ranks(ious, is_other)[:, ~is_other]
    return {
        recall_name(limit, group): tuple(float(share) for share in (ranks < limit).mean(axis=0))
        for group, ranks in found.items()
        for limit in LIMITS
        if ranks.size
    }


def matched_ranks(ious: npt.NDArray[np.floating], is_ignored: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Return which mask each object is matched with at each threshold, as COCO matches them, int64 [10, g].

    One after the other, the best first, each mask takes the object that it overlaps most of those that are left and
    overlap it enough, and an ignored one only where no other does. Of equal overlaps the last one is taken.

    Args:
        ious: of each mask with each object, [d, g].
        is_ignored: the objects that are not asked for, [g].

    Returns:
        The places of the masks; `NEVER` where there is none.
    """
    object_count = ious.shape[1]
    ranks = np.full((len(THRESHOLDS), object_count), NEVER)
    if not object_count:
        return ranks
    for rank in np.flatnonzero(ious.max(axis=1) >= THRESHOLDS[0]):
        is_open = (ranks == NEVER) & (ious[rank] >= THRESHOLDS[:, None])
        preference = np.where(is_open, ious[rank] + 2.0 * ~is_ignored, -1.0)[:, ::-1]
        taken = object_count - 1 - preference.argmax(axis=1)
        is_taken = is_open.any(axis=1)
        ranks[is_taken, taken[is_taken]] = rank
    return ranks


def best_ious(ious: npt.NDArray[np.floating]) -> tuple[float, ...]:
    """Return the IoU of each of g objects with the mask that overlaps it most; 0 without masks, [d, g]."""
    return tuple(float(each) for each in ious.max(axis=0, initial=0.0))


def are_parts(contained: npt.NDArray[np.floating]) -> npt.NDArray[np.bool_]:
    """Return which of g objects are parts, by the shares of each that lie in each other, [g, g]."""
    of_others = contained * ~np.eye(len(contained), dtype=bool)
    return np.asarray((of_others >= PART_SHARE).any(axis=1))


def duplicate_pairs(ious: npt.NDArray[np.floating], threshold: float = 0.9) -> int:
    """Return how many pairs of masks overlap each other by more than `threshold`, of IoUs [d, d]."""
    return int(np.count_nonzero(np.triu(ious, 1) > threshold))
