"""What settings do to masks that are found, on masks drawn by hand."""

from typing import Any

import numpy as np
import pytest

from masklet import AutomaticMasks, AutomaticMaskSettings, Segmentation
from masklet.automask.filter_counts import FilterCounts
from masklet.automask.filtering import Bounds
from masklet.automask.selection import selected
from masklet.masks.run_length import encode_run_length

HEIGHT, WIDTH = 20, 30


def box(x1: int, y1: int, x2: int, y2: int) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), dtype=bool)
    mask[y1:y2, x1:x2] = True
    return mask


WHOLE, PART, BESIDE = box(2, 2, 14, 14), box(4, 4, 8, 8), box(20, 1, 26, 5)


def found(masks: list[np.ndarray], scores: list[float], **options: Any) -> AutomaticMasks:
    count = len(masks)
    return AutomaticMasks.of(
        Segmentation(np.array(masks), np.array(scores), range(1, count + 1)),
        stability_scores=np.arange(count) / 10,
        points=[(each, each) for each in range(count)],
        crop_boxes=[(0, 0, WIDTH, HEIGHT)] * count,
        counts=FilterCounts(nms=count),
        settings=AutomaticMaskSettings(**options),
    )


def points_of(masks: AutomaticMasks) -> list[float]:
    """Which masks are left, by their points."""
    return masks.points[:, 0].tolist()


def test_masks_stay_as_they_are_where_nothing_is_asked_for() -> None:
    given = found([PART, WHOLE], [0.9, 0.8])
    left = selected(given)
    assert (left.run_lengths, points_of(left), left.counts) == (given.run_lengths, [0, 1], given.counts)


def test_nested_masks() -> None:
    masks, scores = [PART, WHOLE, BESIDE], [0.9, 0.8, 0.7]
    wholes, parts = (selected(found(masks, scores, containment=each)) for each in ("wholes", "parts"))
    assert (points_of(wholes), wholes.counts.containment) == ([1, 2], 2)
    assert points_of(parts) == [0, 2]
    assert wholes.object_ids == (1, 2)


def test_orders() -> None:
    masks, scores = [PART, WHOLE, BESIDE], [0.9, 0.8, 0.7]
    assert points_of(selected(found(masks, scores, order="area"))) == [1, 2, 0]
    assert points_of(selected(found(masks, scores, order="position"))) == [2, 1, 0]
    assert points_of(selected(found(masks, scores, order="quality"))) == [2, 1, 0]  # stability .2, .1, 0


def test_the_best_masks_stay_in_their_order() -> None:
    left = selected(found([PART, WHOLE, BESIDE], [0.7, 0.9, 0.8], max_masks=2))
    assert (points_of(left), left.counts.max_masks) == ([1, 2], 2)
    assert len(selected(found([PART], [0.7], max_masks=2))) == 1
    by_quality = selected(found([PART, WHOLE, BESIDE], [0.9, 0.4, 0.8], max_masks=2, order="quality"))
    assert points_of(by_quality) == [2, 1]


def test_in_a_flat_layer_pixels_belong_to_the_smallest_mask() -> None:
    left = selected(found([PART, PART, WHOLE], [0.9, 0.8, 0.7], layers="flat"))
    assert points_of(left) == [0, 2]  # nothing is left of the second
    assert left.counts.layers == 2
    np.testing.assert_array_equal(left.masks, [PART, WHOLE & ~PART])
    assert left.records()[1]["area"] == (WHOLE & ~PART).sum()


def test_small_regions_are_cleaned_up_and_what_is_alike_then_goes() -> None:
    speck, hole = box(28, 18, 29, 19), box(6, 6, 8, 8)
    spoiled = (WHOLE & ~hole) | speck
    left = selected(found([spoiled, WHOLE, BESIDE], [0.9, 0.8, 0.7], min_mask_region_area=5))
    assert (points_of(left), left.counts.regions) == ([1, 2], 2)  # SAM 1: what was not changed suppresses what was
    alone = selected(found([spoiled], [0.9], min_mask_region_area=5))
    np.testing.assert_array_equal(alone.masks, [WHOLE])
    record = alone.records()[0]
    assert (record["area"], record["bbox"]) == (144, [2, 2, 11, 11])
    untouched = selected(found([spoiled], [0.9], min_mask_region_area=1))
    np.testing.assert_array_equal(untouched.masks, [spoiled])


def test_stability_is_that_of_the_mask_that_is_left() -> None:
    """Surely inside are 10 x 10 pixels of 12 x 12, and a speck in either is cleaned away."""
    speck = box(28, 18, 29, 19)
    surely, perhaps = box(3, 3, 13, 13) | speck, WHOLE | speck
    bounds = [Bounds(encode_run_length(surely), encode_run_length(perhaps))] * 2
    given = found([WHOLE | speck, BESIDE], [0.9, 0.8], min_mask_region_area=5)
    left = selected(given, bounds)
    assert left.stability_scores.tolist() == pytest.approx([given.stability_scores[1], 100 / 144])


def test_nothing_may_be_left() -> None:
    options = {"containment": "parts", "layers": "flat", "max_masks": 3, "min_mask_region_area": 4, "order": "area"}
    none = found([PART], [0.5], **options).taken([])
    assert len(selected(none)) == 0


def test_summary_is_one_line() -> None:
    masks = selected(found([PART, WHOLE], [0.9, 0.8], pred_iou_thresh=0.5, containment="wholes"))
    counts = FilterCounts(points=1024, candidates=3072, iou=5, stability=3, nms=2).plus(containment=1)
    assert masks.changed(counts=counts).summary() == (
        "1,024 points, 3,072 candidates, 5 above IoU 0.5, 3 stable, 2 after NMS, 1 wholes of nested masks"
    )


def test_counts_of_crops_are_summed() -> None:
    together = FilterCounts(points=4, iou=2) + FilterCounts(points=3, iou=0, nms=1)
    assert (together.points, together.iou, together.nms, together.crop_nms) == (7, 2, 1, None)
