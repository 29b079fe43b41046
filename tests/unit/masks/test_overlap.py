"""Masks against each other."""

import numpy as np
import pytest
import torch

from masklet.errors import InvalidMaskError
from masklet.masks.overlap import covered_share, intersection_over_union, union_of, without_overlaps
from masklet.masks.run_length import decode_run_length, encode_run_length


def test_each_pixel_stays_with_the_highest_logit() -> None:
    logits = torch.tensor([[[3.0, -1.0, 2.0]], [[1.0, -4.0, 2.0]], [[-20.0, 5.0, 1.0]]])
    expected = torch.tensor([[[3.0, -10.0, 2.0]], [[-10.0, -10.0, -10.0]], [[-20.0, 5.0, -10.0]]])
    assert torch.equal(without_overlaps(logits), expected)


def test_masks_of_several_candidates_compete_between_objects_only() -> None:
    logits = torch.tensor([[1.0, 4.0], [2.0, 3.0]]).reshape(2, 2, 1, 1)
    assert without_overlaps(logits).flatten(1).tolist() == [[-10.0, 4.0], [2.0, -10.0]]


@pytest.mark.parametrize("objects", [0, 1])
def test_one_object_or_none_stays_as_it_is(objects: int) -> None:
    logits = torch.randn(objects, 1, 4, 4)
    assert torch.equal(without_overlaps(logits), logits)


def mask(text: str) -> np.ndarray:
    return np.array([sign == "#" for sign in text])


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("##..", ".##.", 1 / 3),
        ("##..", "##..", 1.0),
        ("##..", "..##", 0.0),
        ("....", "....", 1.0),
        ("....", "#...", 0.0),
    ],
)
def test_intersection_over_union(first: str, second: str, expected: float) -> None:
    assert intersection_over_union(mask(first), mask(second)) == expected
    assert intersection_over_union(mask(second), mask(first)) == expected


def test_only_bool_masks_of_one_shape_are_compared() -> None:
    with pytest.raises(InvalidMaskError, match="float64"):
        intersection_over_union(np.ones(3), np.ones(3, dtype=bool))
    with pytest.raises(InvalidMaskError, match=r"\(1, 3\)"):
        intersection_over_union(np.ones((1, 3), dtype=bool), np.ones(3, dtype=bool))


@pytest.mark.parametrize("texts", [(), ("....",), ("##..", ".##."), ("#...", "#..#", "...#")])
def test_the_union_of_run_lengths_is_that_of_the_masks(texts: tuple[str, ...]) -> None:
    masks = [mask(text)[None] for text in texts]
    union = decode_run_length(union_of([encode_run_length(each) for each in masks], (1, 4)))
    assert np.array_equal(union, np.logical_or.reduce([np.zeros((1, 4), bool), *masks]))


def test_the_share_that_is_covered_counts_a_pixel_once_of_any_number_of_masks() -> None:
    masks = np.zeros((300, 24, 32), dtype=bool)
    masks[:, :12] = True
    masks[299, 12] = True
    run_lengths = [encode_run_length(mask) for mask in masks]
    assert covered_share(run_lengths, (24, 32)) == 13 / 24
    assert covered_share([], (24, 32)) == 0
