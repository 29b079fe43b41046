"""Suppression against its plain formulas: torchvision's loop written out, and dense masks."""

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from masklet.masks.run_length import RunLength, encode_run_length
from masklet.masks.segmentation import Segmentation
from masklet.masks.suppression import (
    box_suppression,
    containment,
    flat_layers,
    mask_ious,
    mask_suppression,
    without_contained,
)

UNHURRIED = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])

boxes_and_scores = st.integers(0, 12).flatmap(
    lambda count: arrays(np.float32, (count, 5), elements=st.integers(0, 12) | st.floats(0, 12, width=32))
)
scores = st.sampled_from([0.0, 0.25, 0.5, 0.75]) | st.floats(0, 1, width=32)
thresholds = st.sampled_from([0.0, 0.1, 0.5, 0.7, 1.0]) | st.floats(0, 1)


def stacks(count: int) -> st.SearchStrategy[np.ndarray]:
    """That many small masks of one size, some of them blocks, some specks, some empty."""
    return arrays(np.bool_, (count, 5, 6)) | arrays(np.bool_, (count, 2, 3)).map(lambda m: m.repeat(3, 1).repeat(2, 2))


masks = st.integers(0, 7).flatmap(stacks)
pairs = st.tuples(st.integers(0, 5), st.integers(0, 5)).flatmap(
    lambda n: stacks(sum(n)).map(lambda m: (m[: n[0]], m[n[0] :]))
)


def encoded(stack: np.ndarray) -> list[RunLength]:
    return [encode_run_length(mask) for mask in stack]


def dense_ious(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    shared = (first[:, None] & second).sum((2, 3))
    return shared / np.maximum((first[:, None] | second).sum((2, 3)), 1)


def dense_shares(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return (first[:, None] & second).sum((2, 3)) / np.maximum(first.sum((1, 2)), 1)[:, None]


def greedy(values: np.ndarray, ious: np.ndarray, threshold: float) -> list[int]:
    left: list[int] = []
    for place in sorted(range(len(values)), key=lambda place: -values[place]):
        if not any(float(ious[kept, place]) > threshold for kept in left):
            left.append(place)
    return left


def box_ious(boxes: np.ndarray) -> np.ndarray:
    """Number by number in float32, NaN where torchvision has it."""
    found = np.zeros((len(boxes), len(boxes)), np.float32)
    for row, one in enumerate(boxes):
        for column, other in enumerate(boxes):
            width = max(np.float32(0), min(one[2], other[2]) - max(one[0], other[0]))
            height = max(np.float32(0), min(one[3], other[3]) - max(one[1], other[1]))
            shared = width * height
            areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
            with np.errstate(invalid="ignore"):
                found[row, column] = shared / (areas[0] + areas[1] - shared)
    return found


@UNHURRIED
@given(boxes_and_scores, thresholds)
def test_boxes_are_suppressed_as_torchvision_does(values: np.ndarray, threshold: float) -> None:
    boxes = np.concatenate([np.sort(values[:, [0, 2]]), np.sort(values[:, [1, 3]])], 1)[:, [0, 2, 1, 3]]
    expected = greedy(values[:, 4], box_ious(boxes), threshold)
    assert box_suppression(boxes, values[:, 4], threshold).tolist() == expected


@UNHURRIED
@given(pairs)
def test_overlaps_of_run_lengths_are_those_of_the_pixels(pair: tuple[np.ndarray, np.ndarray]) -> None:
    first, second = pair
    np.testing.assert_allclose(mask_ious(encoded(first), encoded(second)), dense_ious(first, second))
    np.testing.assert_allclose(containment(encoded(first), encoded(second)), dense_shares(first, second))


@UNHURRIED
@given(masks, st.data(), thresholds)
def test_masks_are_suppressed_by_the_iou_of_their_pixels(stack: np.ndarray, data: st.DataObject, share: float) -> None:
    values = np.array(data.draw(st.lists(scores, min_size=len(stack), max_size=len(stack))))
    assert mask_suppression(encoded(stack), values, share).tolist() == greedy(values, dense_ious(stack, stack), share)


@UNHURRIED
@given(masks, st.floats(0.05, 1), st.sampled_from(["wholes", "parts"]))
def test_nothing_left_is_nested_and_all_that_went_was(stack: np.ndarray, share: float, keep: str) -> None:
    left = without_contained(encoded(stack), share, keep=keep).tolist()
    shares, areas = dense_shares(stack, stack), stack.sum((1, 2))
    nested = {
        (small, large)
        for small in range(len(stack))
        for large in range(len(stack))
        if small != large and areas[small] <= areas[large] and areas[small] and shares[small, large] >= share
    }
    assert not any((one, other) in nested for one in left for other in left)
    for gone in set(range(len(stack))) - set(left):
        assert any(((gone, kept) if keep == "wholes" else (kept, gone)) in nested for kept in left)


@UNHURRIED
@given(masks)
def test_flat_layers_are_painted_from_large_to_small(stack: np.ndarray) -> None:
    owner = np.full(stack.shape[1:], -1)
    for place in sorted(range(len(stack)), key=lambda place: (-stack[place].sum(), -place)):
        owner[stack[place]] = place
    layers = flat_layers(Segmentation(stack, np.zeros(len(stack)), range(1, len(stack) + 1)))
    expected = [encode_run_length(owner == place) for place in range(len(stack))]
    assert list(layers.run_lengths) == expected


@UNHURRIED
@given(masks.flatmap(lambda stack: st.tuples(st.just(stack), st.permutations(range(len(stack))))), thresholds)
def test_flat_layers_in_an_order_leave_out_what_too_little_is_left_of(
    stack_and_order: tuple[np.ndarray, list[int]], least: float
) -> None:
    stack, order = stack_and_order
    taken, expected = np.zeros(stack.shape[1:], bool), {}
    for place in order:
        left = stack[place] & ~taken
        if left.sum() >= least * stack[place].sum():
            taken |= left
            expected[place + 1] = encode_run_length(left)
    found = Segmentation(stack, np.arange(len(stack)) / 8, range(1, len(stack) + 1))
    layers = flat_layers(found, order, least)
    assert dict(zip(layers.object_ids, layers.run_lengths, strict=True)) == expected
    assert layers.object_ids == tuple(sorted(expected))
    assert [8 * score for score in layers.scores] == [each - 1 for each in layers.object_ids]
