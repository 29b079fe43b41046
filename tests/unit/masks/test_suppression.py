"""Non-maximum suppression against its definition, written as two loops."""

import numpy as np
import pytest

from masklet.masks.suppression import box_suppression


def plain(boxes: np.ndarray, scores: np.ndarray, threshold: float) -> list[int]:
    kept: list[int] = []
    for place in sorted(range(len(boxes)), key=lambda each: -scores[each]):
        if all(overlap(boxes[place], boxes[other]) <= threshold for other in kept):
            kept.append(place)
    return kept


def overlap(first: np.ndarray, second: np.ndarray) -> float:
    sides = np.minimum(first[2:], second[2:]) - np.maximum(first[:2], second[:2])
    shared = sides.clip(min=0).prod()
    union = (first[2:] - first[:2]).prod() + (second[2:] - second[:2]).prod() - shared
    return shared / union if union else 0.0


@pytest.mark.parametrize("threshold", [0.0, 0.25, 0.71, 1.0])
def test_boxes_are_suppressed_greedily(threshold: float) -> None:
    generator = np.random.default_rng(0)
    corners = generator.integers(0, 12, (200, 2, 2))
    boxes = np.concatenate([corners.min(1), corners.max(1)], axis=1).astype(float)  # some without area
    scores = generator.integers(0, 20, 200) / 20  # many alike
    assert box_suppression(boxes, scores, threshold).tolist() == plain(boxes, scores, threshold)


def test_boxes_of_no_area_stay() -> None:
    boxes = np.array([[0, 0, 0, 0], [0, 0, 0, 0], [5, 5, 5, 9], [5, 5, 5, 9.0]])
    assert box_suppression(boxes, np.array([0.1, 0.9, 0.5, 0.5]), 0.5).tolist() == [1, 2, 3, 0]


def test_an_overlap_that_equals_the_threshold_stays() -> None:
    boxes, scores = np.array([[0, 0, 10, 10], [0, 0, 10, 5.0]]), np.array([0.9, 0.8])
    assert box_suppression(boxes, scores, 0.5).tolist() == [0, 1]
    assert box_suppression(boxes, scores, 0.49).tolist() == [0]


def test_nothing_gives_nothing() -> None:
    assert box_suppression(np.zeros((0, 4)), np.zeros(0), 0.5).tolist() == []
