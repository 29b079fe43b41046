"""Which of many overlapping masks stay: greedy suppression of duplicates and of nested masks, and disjoint masks.

All of it works on boxes and run lengths: thousands of masks of a large image are compared without decoding one.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt
from pycocotools import mask as coco_mask

from masklet.errors import InvalidInputError
from masklet.json_files import is_finite_number, shown
from masklet.masks.components import without_small_regions
from masklet.masks.counts import box_of, counts_of_mask, counts_of_runs
from masklet.masks.run_length import RunLength, columns_of, counts_of, run_length_of, size_of
from masklet.masks.segmentation import Segmentation

Places = npt.NDArray[np.int64]
"""Of masks in the sequence that was given, int64 [k]."""

_COMPARED_TOGETHER = 64  # masks with one: their run lengths are in memory at once

_Overlaps = Callable[[int, Places], npt.NDArray[np.floating]]


def box_suppression(boxes: npt.ArrayLike, scores: npt.ArrayLike, threshold: float) -> Places:
    """Return which boxes are left when each suppresses those of lower scores that overlap it (non-maximum suppression).

    Equals torchvision's `nms` on a processor bit by bit: areas without + 1 and IoUs in float32, a box goes where the
    IoU is above the threshold and not at it, and of equal scores the first comes first. Boxes without area have the IoU
    0/0 with each other: they all stay.

    Args:
        boxes: (x1, y1, x2, y2), [n, 4].
        scores: [n].
        threshold: the largest IoU of two boxes that both stay, 0..1.

    Returns:
        The places of those that are left, by descending score, int64 [k].

    Raises:
        InvalidInputError: if the shapes do not fit, a score is NaN, or the threshold is beyond 0..1.
    """
    boxes_n4 = np.asarray(boxes, dtype=np.float32)
    boxes_n4 = boxes_n4.reshape(-1, 4) if boxes_n4.size == 0 else boxes_n4
    if boxes_n4.ndim != 2 or boxes_n4.shape[1] != 4:
        raise InvalidInputError(f"Boxes are [n, 4]; got {list(boxes_n4.shape)}.")
    x1, y1, x2, y2 = np.ascontiguousarray(boxes_n4.T)
    areas = (x2 - x1) * (y2 - y1)

    def ious(place: int, others: Places) -> npt.NDArray[np.floating]:
        width = np.minimum(x2[place], x2[others]) - np.maximum(x1[place], x1[others])
        height = np.minimum(y2[place], y2[others]) - np.maximum(y1[place], y1[others])
        intersections = np.maximum(width, 0) * np.maximum(height, 0)
        with np.errstate(invalid="ignore"):
            found: npt.NDArray[np.floating] = intersections / (areas[place] + areas[others] - intersections)
        return found.astype(np.float64)  # torchvision compares with a threshold in double precision

    return _suppressed(boxes_n4, scores, threshold, ious)


def mask_suppression(run_lengths: Sequence[RunLength], scores: npt.ArrayLike, threshold: float) -> Places:
    """Return which masks are left when each suppresses those of lower scores that overlap it.

    As `box_suppression`, by the IoU of masks: a speck far away does not save a duplicate, and a ring does not suppress
    the disc within it. Empty masks all stay.

    Args:
        run_lengths: of n masks of one image; a sequence that reads them when they are asked for has few in memory.
        scores: [n].
        threshold: the largest IoU of two masks that both stay, 0..1.

    Returns:
        The places of those that are left, by descending score, int64 [k].

    Raises:
        InvalidInputError: if the masks are of several sizes, the shapes do not fit, a score is NaN, or the threshold is
            beyond 0..1.
    """
    _check_one_size(run_lengths)
    areas, boxes = _areas_and_boxes(run_lengths)

    def ious(place: int, others: Places) -> npt.NDArray[np.floating]:
        shared = np.minimum(np.minimum(areas[place], areas[others]), _shared_areas(boxes[place], boxes[others]))
        found = shared / np.maximum(areas[place] + areas[others] - shared, 1)  # an upper bound, of boxes and areas
        near = np.flatnonzero(found > threshold)
        for start in range(0, len(near), _COMPARED_TOGETHER):
            some = near[start : start + _COMPARED_TOGETHER]
            found[some] = mask_ious([run_lengths[place]], [run_lengths[other] for other in others[some]])[0]
        return found

    return _suppressed(boxes, scores, threshold, ious)


def _suppressed(
    boxes: npt.NDArray[np.floating], scores: npt.ArrayLike, threshold: float, overlaps: _Overlaps
) -> Places:
    """Return the places of those that are left, by descending score; `overlaps` is asked about boxes that intersect."""
    _check_share(threshold, "The threshold")
    values = np.asarray(scores, dtype=np.float64)
    if values.shape != (len(boxes),) or np.isnan(values).any():
        raise InvalidInputError(f"{len(boxes)} masks need as many scores, none of them NaN; got {shown(scores)}.")
    order = np.argsort(-values, kind="stable").astype(np.int64)
    x1, y1, x2, y2 = np.ascontiguousarray(boxes[order].T)
    is_left = np.ones(len(order), dtype=bool)
    for rank in range(len(order)):
        if is_left[rank]:
            after = slice(rank + 1, None)
            meets = is_left[after] & (x1[after] < x2[rank]) & (x2[after] > x1[rank])
            meets &= (y1[after] < y2[rank]) & (y2[after] > y1[rank])
            others = np.flatnonzero(meets) + rank + 1
            if others.size:
                is_left[others] = ~(overlaps(int(order[rank]), order[others]) > threshold)
    return order[is_left]


def mask_ious(first: Sequence[RunLength], second: Sequence[RunLength]) -> npt.NDArray[np.float64]:
    """Return the IoU of each of n masks with each of m, float64 [n, m]; 0 where either is empty."""
    return _compared(first, second, is_region=False)


def containment(first: Sequence[RunLength], second: Sequence[RunLength]) -> npt.NDArray[np.float64]:
    """Return the share of each of n masks that lies in each of m, float64 [n, m]; 0 of an empty mask."""
    return _compared(first, second, is_region=True)


def _compared(first: Sequence[RunLength], second: Sequence[RunLength], *, is_region: bool) -> npt.NDArray[np.float64]:
    """Return the intersections of masks [n, m], over their unions or, for regions as COCO has them, over the first."""
    _check_one_size([*first, *second])
    if not first or not second:
        return np.zeros((len(first), len(second)))
    found: npt.NDArray[np.float64] = coco_mask.iou(list(first), list(second), [is_region] * len(second))
    return found


def without_contained(
    run_lengths: Sequence[RunLength], share: float = 0.85, *, keep: Literal["wholes", "parts"] = "wholes"
) -> Places:
    """Return which masks are left when of nested ones only wholes, or only parts, are kept.

    Masks are taken by size, wholes from the largest, parts from the smallest, and of equal ones the first comes first:
    each goes if it is nested with one that stayed.

    Args:
        run_lengths: of n masks of one image.
        share: how much of a mask lies in a larger one that contains it, or more, above 0 and up to 1.
        keep: "wholes" leaves out what is contained in another mask, "parts" what contains one.

    Returns:
        The places of those that are left, ascending, int64 [k].

    Raises:
        InvalidInputError: for another share or `keep`, or masks of several sizes.
    """
    _check_share(share, "The share")
    if keep not in ("wholes", "parts") or not share:
        raise InvalidInputError(f'Either "wholes" or "parts" are kept, by a share above 0; got {shown((keep, share))}.')
    _check_one_size(run_lengths)
    areas, boxes = _areas_and_boxes(run_lengths)
    order = np.argsort(-areas if keep == "wholes" else areas, kind="stable")
    left: list[int] = []
    for place in map(int, order):
        others = np.array(left, dtype=np.int64)
        smaller = np.minimum(areas[place], areas[others])
        shared = _shared_areas(boxes[place], boxes[others])
        near = others[(shared >= share * smaller) & (smaller > 0)]
        this, those = [run_lengths[place]], [run_lengths[other] for other in near]
        nested = containment(this, those) if keep == "wholes" else containment(those, this)
        if not (nested >= share).any():
            left.append(place)
    return np.sort(np.array(left, dtype=np.int64))


def cleaned_masks(run_lengths: Sequence[RunLength], area: float, threshold: float) -> tuple[list[RunLength], Places]:
    """Return masks without holes and islands of fewer than `area` pixels, and the places of those that are left.

    As in SAM 1, boxes are suppressed once more afterwards, because masks may have become alike: those that lost nothing
    come first and suppress those that did; within both, the earlier ones suppress the later.

    Args:
        run_lengths: of n masks of one image, the best first.
        area: see `without_small_regions`.
        threshold: see `box_suppression`.
    """
    masks = [cleaned_mask(each, area) for each in run_lengths]
    is_same = [after is before for before, after in zip(run_lengths, masks, strict=True)]
    _, boxes = _areas_and_boxes(masks)
    boxes[:, 2:] = np.maximum(boxes[:, 2:] - 1, boxes[:, :2])  # SAM's boxes end at the last pixel
    return masks, box_suppression(boxes, is_same, threshold)


def cleaned_mask(run_length: RunLength, area: float) -> RunLength:
    """Return a mask without small regions (see `without_small_regions`): itself if there are none.

    Only its columns are decoded, with as many beside them as a small region may have.
    """
    height, width = size_of(run_length)
    counts = counts_of(run_length, height, width)
    if (box := box_of(counts, height)) is None:
        return run_length
    left, top, right, bottom = map(int, box)
    beside = math.ceil(area) // (bottom - top) + 1
    first, end = max(left - beside, 0), min(right + beside, width)
    mask, is_changed = without_small_regions(columns_of(counts, height, first, end), area)
    if not is_changed:
        return run_length
    edges = np.cumsum(counts_of_mask(mask)) + first * height
    return run_length_of(counts_of_runs(edges[:-1:2], edges[1::2], width * height), height, width)


def flat_layers(segmentation: Segmentation, order: Sequence[int] | None = None, least: float = 0.0) -> Segmentation:
    """Return the objects with disjoint masks: a pixel of several belongs to one of them.

    The low-resolution logits, which overlap, are left out.

    Args:
        segmentation: n objects.
        order: their places; pixels belong to those that come first. None: the smallest, of equal ones the first.
        least: an object of which a smaller share would be left goes, and its pixels to those after it. With 0 all stay;
            one of which nothing is left has an empty mask.
    """
    size, pixels = segmentation.size, segmentation.height * segmentation.width
    edges = [np.cumsum(counts_of(each, *size)) for each in segmentation.run_lengths]
    # Pixels count column by column; between two neighbours of these places, all pixels belong to the same masks.
    places = np.sort(np.concatenate([[0], *edges, [pixels]]), kind="stable")  # which is quick with sorted parts
    places = places[np.diff(places, prepend=-1) > 0]
    owners, lengths = np.full(len(places) - 1, -1), np.diff(places)
    left: list[int] = []
    for index in np.argsort(segmentation.areas, kind="stable").tolist() if order is None else order:
        its_own = np.searchsorted(places, edges[index][: len(edges[index]) // 2 * 2])  # where its runs start and end
        reach = slice(its_own[0], its_own[-1]) if its_own.size else slice(0)
        runs = np.diff(its_own)
        is_free = np.repeat(np.arange(len(runs)) % 2 == 0, runs) & (owners[reach] < 0)
        if lengths[reach][is_free].sum() >= least * segmentation.areas[index]:
            owners[reach][is_free] = index
            left.append(index)
    left.sort()
    runs_of = list(_runs_of(owners, places, len(edges)))
    masks = [run_length_of(counts_of_runs(*runs_of[index], pixels), *size) for index in left]
    ids = [segmentation.object_ids[index] for index in left]
    return Segmentation.from_run_lengths(masks, size, segmentation.scores[left], ids)


def _runs_of(owners: Places, places: Places, count: int) -> Iterator[tuple[Places, Places]]:
    """Yield where the runs of each owner start and end.

    Args:
        owners: of what lies from each of the places to the next [k]; -1 is nobody.
        places: in order [k + 1].
        count: of owners, from 0 on.
    """
    starts = np.flatnonzero(np.diff(owners, prepend=-2))
    ends = np.append(starts[1:], len(owners))
    by_owner = np.argsort(owners[starts], kind="stable")
    bounds = np.searchsorted(owners[starts][by_owner], np.arange(count + 1))
    for first, last in pairwise(bounds.tolist()):
        runs = by_owner[first:last]
        yield places[starts[runs]], places[ends[runs]]


def _check_one_size(run_lengths: Sequence[RunLength]) -> None:
    """Raise InvalidInputError unless all masks are of one size."""
    sizes = {tuple(run_length["size"]) for run_length in run_lengths}
    if len(sizes) > 1:
        raise InvalidInputError(f"Masks of one image are compared; got those of the sizes {shown(sorted(sizes))}.")


def _check_share(value: float, name: str) -> None:
    if not is_finite_number(value) or not 0 <= value <= 1:
        raise InvalidInputError(f"{name} must be from 0 to 1; got {shown(value)}.")


def _areas_and_boxes(run_lengths: Sequence[RunLength]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the areas [n] and the boxes (x1, y1, x2, y2) along pixel edges [n, 4] of masks."""
    measured = [(coco_mask.area(each), *coco_mask.toBbox(each)) for each in run_lengths]
    areas, boxes = np.split(np.array(measured, dtype=np.float64).reshape(-1, 5), [1], axis=1)
    boxes[:, 2:] += boxes[:, :2]
    return areas[:, 0], boxes


def _shared_areas(box: npt.NDArray[np.float64], boxes: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the areas that a box [4] shares with others [n, 4], [n]."""
    corners = np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2])
    shared: npt.NDArray[np.float64] = np.maximum(corners, 0).prod(-1)
    return shared
