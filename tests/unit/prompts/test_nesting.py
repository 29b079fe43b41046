"""What prompts may look like, and what is said about those that do not."""

import re

import numpy as np
import pytest
import torch

from masklet.errors import InvalidInputError
from masklet.prompts.nesting import BOXES, LABELS, POINTS, PromptLayout, extent, nested_lists, padded

POINTS_FORMAT = "[image level, object level, point level, point coordinates]"
LABELS_FORMAT = "[image level, object level, point level]"
BOXES_FORMAT = "[image level, box level, box coordinates]"


@pytest.mark.parametrize(
    "points",
    [
        [[[[4, 6]]]],
        ((((4, 6),),),),
        [[(np.float32([4, 6]),)]],
        [[torch.tensor([[4.0, 6.0]])]],
        np.array([[[[4, 6]]]]),
        torch.tensor([[[[4, 6]]]], dtype=torch.bfloat16),
        torch.tensor([[[[4.0, 6.0]]]], requires_grad=True),
        [[[[np.float32(4), torch.tensor(6)]]]],
    ],
)
def test_lists_tuples_arrays_and_tensors_are_the_same(points: object) -> None:
    assert nested_lists(points, POINTS) == [[[[4, 6]]]]


def test_the_input_is_not_changed() -> None:
    points = [[[[1, 2]], [[3, 4], [5, 6]]], None]
    lists = nested_lists(points, POINTS)
    lists[0][0][0][0] = 99
    padded(lists, POINTS, -10, torch.float32)
    assert points == [[[[1, 2]], [[3, 4], [5, 6]]], None]


LISTS = "Input {name} are nested {expected} levels deep, {layout}; got {got}."
ARRAYS = "Input {name} in one array have {expected} dimensions, {layout}; got {got}."


@pytest.mark.parametrize(
    ("prompts", "layout", "expected"),
    [
        ([[[1, 2]]], POINTS, LISTS.format(name="{name}", expected=4, layout=POINTS_FORMAT, got=3)),
        ([[[[[1, 2]]]]], POINTS, LISTS.format(name="{name}", expected=4, layout=POINTS_FORMAT, got=5)),
        ([[1]], LABELS, LISTS.format(name="{name}", expected=3, layout=LABELS_FORMAT, got=2)),
        (((1, 2, 3, 4),), BOXES, LISTS.format(name="{name}", expected=3, layout=BOXES_FORMAT, got=2)),
        (np.zeros((1, 1, 2)), POINTS, ARRAYS.format(name="{name}", expected=4, layout=POINTS_FORMAT, got=3)),
        (torch.zeros(1, 1), LABELS, ARRAYS.format(name="{name}", expected=3, layout=LABELS_FORMAT, got=2)),
        (torch.zeros(1, 1, 1, 3), POINTS, "The last dimension of input points has 2 coordinates; got 3."),
        (np.zeros((1, 1, 2)), BOXES, "The last dimension of input boxes has 4 coordinates; got 2."),
    ],
)
def test_wrong_depth_is_an_error(prompts: object, layout: PromptLayout, expected: str) -> None:
    with pytest.raises(ValueError, match=re.escape(expected.replace("{name}", layout.name))):
        nested_lists(prompts, layout)


@pytest.mark.parametrize(
    ("prompts", "layout", "expected"),
    [
        ([[[[1, 2], [3, 4, 5]]]], POINTS, "2 coordinates at input points[0][0][1], got 3"),
        ([[[[1, 2]], [3, 4]]], POINTS, "a list (point coordinates) at input points[0][1][0], got 3"),
        ([[[[1, 2], [[3, 4]]]]], POINTS, "2 coordinates at input points[0][0][1], got 1"),
        ([[[["a", 2]]]], POINTS, "a number at input points[0][0][0][0], got 'a'"),
        ([[[[None, 2]]]], POINTS, "a number at input points[0][0][0][0], got None"),
        ([[[1, 2, 3]]], BOXES, "4 coordinates at input boxes[0][0], got 3"),
        ("400,300", POINTS, "got str"),
        (7, BOXES, "got int"),
        ({"x": 1}, POINTS, "got dict"),
    ],
)
def test_uneven_and_foreign_values_are_named_with_their_place(
    prompts: object, layout: PromptLayout, expected: str
) -> None:
    with pytest.raises(InvalidInputError, match=re.escape(expected)):
        nested_lists(prompts, layout)


@pytest.mark.parametrize("points", [[], [[]], [[[]]], [None], np.zeros((1, 0, 1, 2)), torch.zeros(0, 1, 1, 2)])
def test_no_prompt_at_all_is_an_error(points: object) -> None:
    with pytest.raises(InvalidInputError, match="are empty"):
        nested_lists(points, POINTS)


def test_ragged_prompts_are_filled_up() -> None:
    lists = nested_lists([[[[1, 2]], [[3, 4], [5, 6]]], None, [[[7, 8]]]], POINTS)
    assert extent(lists, POINTS) == (3, 2, 2, 2)
    tensor = padded(lists, POINTS, -10, torch.float32)
    none = [[-10, -10], [-10, -10]]
    assert tensor.tolist() == [[[[1, 2], [-10, -10]], [[3, 4], [5, 6]]], [none, none], [[[7, 8], [-10, -10]], none]]
    labels = padded(nested_lists([[[1], [0, 1]], []], LABELS), LABELS, -10, torch.int64)
    assert labels.dtype == torch.int64
    assert labels.tolist() == [[[1, -10], [0, 1]], [[-10, -10], [-10, -10]]]


def test_an_image_without_boxes_gets_only_padding() -> None:
    boxes = padded(nested_lists([None, [[1, 2, 3, 4]]], BOXES), BOXES, -10, torch.float32)
    assert boxes.tolist() == [[[-10] * 4], [[1, 2, 3, 4]]]
