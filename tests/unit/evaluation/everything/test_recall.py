"""Average recall by hand, and against pycocotools' own evaluation of a dataset."""

from contextlib import redirect_stdout
from io import StringIO

import numpy as np
import pytest
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from masklet.evaluation.everything.recall import (
    LIMITS,
    NEVER,
    are_parts,
    best_ious,
    duplicate_pairs,
    matched_ranks,
    recall_name,
    recall_values,
)

SIDE = 160
ALL_ARE_WHOLE = np.zeros(9, dtype=bool)


def one(shares, *, limit=1000, areas=None):
    """The shares of thresholds at which objects of 50 pixels are found by masks with these IoUs."""
    ious = np.array(shares, dtype=float)
    count = ious.shape[1]
    areas = np.full(count, 50) if areas is None else np.array(areas)
    return recall_values(ious, areas, ALL_ARE_WHOLE[:count])[recall_name(limit)]


def test_truth_table_of_matching():
    assert one([[0.49]]) == (0.0,)
    assert one([[0.5]]) == (0.1,)
    assert one([[0.72]]) == (0.5,)
    assert one([[1.0]]) == (1.0,)
    assert one([[0.6, 0.9]]) == (0.0, 0.9)  # a mask finds one object, that which it overlaps most ...
    assert one([[0.62, 0.58]]) == (0.3, 0.0)
    assert one([[0.9, 0.6], [0.9, 0.6]]) == (0.9, 0.3)  # ... and a second mask takes what is left
    assert one([[0.5], [1.0]]) == (1.0,)  # the worse mask takes the object at the threshold that it reaches, not above


def test_masks_behind_the_limit_are_not_looked_at():
    ious = np.zeros((12, 1))
    ious[10] = 1.0
    assert one(ious, limit=10) == (0.0,)
    assert one(ious, limit=100) == (1.0,)


def test_without_masks_nothing_is_found():
    assert one(np.zeros((0, 2))) == (0.0, 0.0)
    assert (matched_ranks(np.zeros((3, 2)), np.zeros(2, bool)) == NEVER).all()
    assert best_ious(np.zeros((0, 2))) == (0.0, 0.0)


def test_sizes_include_both_of_their_borders():
    values = recall_values(np.zeros((1, 4)), np.array([1024, 1025, 9216, 9217]), ALL_ARE_WHOLE[:4])
    counts = {size: len(values[recall_name(10, size)]) for size in ("small", "medium", "large")}
    assert counts == {"small": 1, "medium": 3, "large": 2}


def test_parts_lie_in_another_object_by_nine_tenths():
    contained = np.array([[1.0, 0.2, 0.0], [0.9, 1.0, 0.0], [0.0, 0.89, 1.0]])
    assert are_parts(contained).tolist() == [False, True, False]
    values = recall_values(np.eye(3), np.full(3, 50), are_parts(contained))
    assert values["AR@10 whole"] == (1.0, 1.0)
    assert values["AR@10 part"] == (1.0,)
    assert "AR@10 large" not in values


def test_duplicates_are_pairs_above_nine_tenths():
    ious = np.array([[1.0, 0.95, 0.9], [0.95, 1.0, 0.91], [0.9, 0.91, 1.0]])
    assert duplicate_pairs(ious) == 2
    assert duplicate_pairs(np.zeros((0, 0))) == 0


def ellipses(rng, count):
    y, x = np.mgrid[:SIDE, :SIDE]
    centres, radii = rng.uniform(0, SIDE, (count, 2)), rng.uniform(5, 70, (count, 2))
    masks = [((x - c[0]) / r[0]) ** 2 + ((y - c[1]) / r[1]) ** 2 <= 1 for c, r in zip(centres, radii, strict=True)]
    return [mask for mask in masks if mask.any()]


def made_images():
    """Three images: their objects, and masks best first: shifted objects, some twice, and others."""
    rng = np.random.default_rng(3)
    for count in (1, 7, 14):
        objects = ellipses(rng, count)
        shifted = [np.roll(each, rng.integers(-4, 5, 2), (0, 1)) for each in objects * 2]
        masks = [*shifted, *ellipses(rng, 9)]
        yield objects, [masks[place] for place in rng.permutation(len(masks))]


def encoded(mask):
    return coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))


def by_coco(images):
    """The average recall that `COCOeval` gives, by limit and size."""
    annotated, found = [], []
    for image_id, (objects, masks) in enumerate(images):
        for place, mask in enumerate(objects):
            fields = {"segmentation": encoded(mask), "area": int(mask.sum()), "iscrowd": 0, "category_id": 1}
            annotated.append({"id": 100 * image_id + place + 1, "image_id": image_id, **fields})
        for rank, mask in enumerate(masks):
            score = 1 - rank / 1000
            found.append({"image_id": image_id, "category_id": 1, "segmentation": encoded(mask), "score": score})
    truth = COCO()
    truth.dataset = {
        "images": [{"id": image_id, "height": SIDE, "width": SIDE} for image_id in range(len(images))],
        "annotations": annotated,
        "categories": [{"id": 1}],
    }
    with redirect_stdout(StringIO()):
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(found), "segm")
        evaluation.params.useCats, evaluation.params.maxDets = 0, list(LIMITS)
        evaluation.evaluate()
        evaluation.accumulate()
    recall = evaluation.eval["recall"].mean(axis=0)[0]  # [sizes, limits], mean over the thresholds
    names = ("", "small", "medium", "large")
    return {
        recall_name(limit, size): recall[row, column]
        for row, size in enumerate(names)
        for column, limit in enumerate(LIMITS)
    }


def test_equal_to_cocoeval():
    images = list(made_images())
    gathered: dict[str, list[float]] = {}
    for objects, masks in images:
        run_lengths = [encoded(each) for each in objects]
        ious = coco_mask.iou([encoded(each) for each in masks], run_lengths, [0] * len(objects))
        areas = np.array([each.sum() for each in objects])
        for name, values in recall_values(ious, areas, np.zeros(len(objects), bool)).items():
            gathered.setdefault(name, []).extend(values)
    expected = by_coco(images)
    assert {name: np.mean(gathered[name]) for name in expected} == pytest.approx(expected, abs=1e-12)
    assert 0.2 < expected["AR@10"] < expected["AR@100"] < 1
    assert len({round(expected[f"AR@100 {size}"], 3) for size in ("small", "medium", "large")}) == 3
