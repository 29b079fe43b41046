"""Fewer points than a full grid: every second one first, the others where those around them do not agree.

Not exact. A point whose neighbours all lead to the same masks, or to none, would mostly lead there, too. Of the rules
that were compared this one keeps the most masks for the points it saves: from a coarser grid small things are missed,
and a point inside a mask that was found may still lead to a part of it.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Open = npt.NDArray[np.bool_]

_UNKNOWN, _NOTHING = -2, -1
_REACH = 2  # rows and columns of the grid that neighbours are away, at most


def first_round(is_open: Open) -> Open:
    """Return which points of a grid [n, n] to decode first: every second row and column of those that are open."""
    on_axis = np.arange(len(is_open)) % 2 == 1
    return is_open & np.logical_and.outer(on_axis, on_axis)


def second_round(is_open: Open, is_decoded: Open, leads_to: dict[int, frozenset[int]]) -> Open:
    """Return which points of a grid [n, n] to decode after that: those whose neighbours disagree, or that have none.

    Args:
        is_open: the points that may be decoded.
        is_decoded: those that were.
        leads_to: for the points that led to masks, by their places, row by row, which masks these are.
    """
    outcomes = np.where(is_decoded, _NOTHING, _UNKNOWN)
    numbers: dict[frozenset[int], int] = {}
    for place, masks in leads_to.items():
        outcomes.flat[place] = numbers.setdefault(masks, len(numbers))
    around = np.lib.stride_tricks.sliding_window_view(
        np.pad(outcomes, _REACH, constant_values=_UNKNOWN), (2 * _REACH + 1, 2 * _REACH + 1)
    )
    most = around.max(axis=(2, 3))
    least = np.where(around == _UNKNOWN, most[..., None, None], around).min(axis=(2, 3))
    return is_open & ~is_decoded & ((most != least) | (most == _UNKNOWN))


def masks_of_points(
    boxes: npt.NDArray[np.floating], places: Sequence[int], kept: Integers, threshold: float
) -> dict[int, frozenset[int]]:
    """Return for points that led to masks which of those that stay they stand for.

    Args:
        boxes: of all masks (x1, y1, x2, y2) [m, 4].
        places: the point of each [m].
        kept: those that no other one suppressed, the best first.
        threshold: the intersection over union of boxes from which on they did.
    """
    leader = np.full(len(boxes), _NOTHING)
    leader[kept] = kept
    corners, areas = boxes, (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    for best in kept.tolist():
        sides = np.minimum(corners[:, 2:], corners[best, 2:]) - np.maximum(corners[:, :2], corners[best, :2])
        shared = sides.clip(min=0).prod(axis=1)
        leader[(leader == _NOTHING) & (shared > threshold * (areas + areas[best] - shared))] = best
    found: dict[int, set[int]] = {}
    for place, mask in zip(places, leader.tolist(), strict=True):
        found.setdefault(place, set()).add(mask)
    return {place: frozenset(masks) for place, masks in found.items()}
