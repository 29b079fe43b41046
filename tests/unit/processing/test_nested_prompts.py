"""Prompts in image pixels become tensors in the network's pixels, or an error that names them."""

import re
from typing import Any

import numpy as np
import pytest
import torch

from masklet.errors import InvalidInputError
from masklet.processing.nested_prompts import box_tensor, point_tensors

SIZES = [(60, 90)]
TWO = [(60, 90), (10, 20)]


def points(value: Any, labels: Any = None, sizes: Any = SIZES) -> dict[str, torch.Tensor]:
    return point_tensors(value, labels, sizes, target_size=1024, padding=-10)


def boxes(value: Any, sizes: Any = SIZES) -> torch.Tensor:
    return box_tensor(value, sizes, target_size=1024, padding=-10)


def test_points_are_stretched_on_each_axis_and_padded() -> None:
    tensors = points([[[[10, 20]], [[5, 5], [6, 6]]], [[[1, 2]]]], sizes=[(60, 90), (60, 90)])
    assert tensors["input_points"].dtype == torch.float32
    expected = [
        [[[113.7778, 341.3333], [-10, -10]], [[56.8889, 85.3333], [68.2667, 102.4]]],
        [[[11.3778, 34.1333], [-10, -10]], [[-10, -10], [-10, -10]]],
    ]
    torch.testing.assert_close(tensors["input_points"], torch.tensor(expected), atol=1e-4, rtol=0)


def test_each_image_has_its_own_scale() -> None:
    tensors = points([[[[9, 6]]], [[[2, 1]]]], sizes=TWO)
    torch.testing.assert_close(tensors["input_points"], torch.full((2, 1, 1, 2), 102.4))


def test_without_labels_points_are_positive_and_padding_is_not() -> None:
    """Labels of one for padding, too, would make the network see clicks beside the image."""
    tensors = points([[[[1, 2]], [[3, 4], [5, 6]]]])
    assert tensors["input_labels"].dtype == torch.int64
    assert tensors["input_labels"].tolist() == [[[1, -10], [1, 1]]]
    assert points([[[[1, 2], [-10, -10]]]])["input_labels"].tolist() == [[[1, -10]]]


def test_labels_are_kept_and_padded() -> None:
    tensors = points([[[[1, 2], [3, 4]]], [[[5, 6]]]], [[[0, 1]], [(np.int32(1),)]], TWO)
    assert tensors["input_labels"].tolist() == [[[0, 1]], [[1, -10]]]
    assert points(np.ones((1, 1, 2, 2)), np.array([[[0, 1]]], np.int32))["input_labels"].tolist() == [[[0, 1]]]


def test_padding_by_the_caller_stays_unscaled() -> None:
    tensors = points([[[[-10, -10], [9, 6]]]], [[[-10, 1]]])
    assert tensors["input_points"][0, 0, 0].tolist() == [-10, -10]
    assert tensors["input_labels"].tolist() == [[[-10, 1]]]


def test_points_may_lie_on_the_border() -> None:
    tensors = points([[[[0, 0], [90, 60]]]])
    torch.testing.assert_close(tensors["input_points"][0, 0], torch.tensor([[0.0, 0.0], [1024.0, 1024.0]]))


@pytest.mark.parametrize(
    "point", [[90.5, 30], [30, 60.5], [-0.5, 3], [3, -1], [-10, 3], [float("inf"), 3], [3, float("nan")]]
)
def test_points_outside_are_named_with_the_image(point: list[float]) -> None:
    place = re.escape(f"Point ({point[0]:g}, {point[1]:g}) at input points[1][0][1]")
    with pytest.raises(InvalidInputError, match=f"{place}.*width 90 and height 60"):
        points([[[[1, 1]]], [[[1, 1], point]]], sizes=[(20, 20), (60, 90)])


def test_ignored_points_may_lie_anywhere_but_must_be_numbers() -> None:
    tensors = points([[[[500, 500], [-3, 1]]]], [[[-1, -10]]])
    assert tensors["input_labels"].tolist() == [[[-1, -10]]]
    with pytest.raises(InvalidInputError, match="nan"):
        points([[[[float("nan"), 500]]]], [[[-1]]])


@pytest.mark.parametrize("label", [2, 3, -2, 0.5, float("nan")])
def test_other_labels_are_refused(label: float) -> None:
    with pytest.raises(InvalidInputError, match=re.escape(f"Input labels[0, 0, 1] is {label:g}; a label must be 1")):
        points([[[[1, 2], [3, 4]]]], [[[1, label]]])


@pytest.mark.parametrize("labels", [[[[1, 1]]], [[[1], [1]]], [[[]]], [[[1]], [[1]]], [[1]], 1, np.ones((1, 1, 2))])
def test_labels_that_do_not_match_the_points_are_refused(labels: Any) -> None:
    with pytest.raises(ValueError, match=r"[Ll]abels"):
        points([[[[1, 2]]]], labels)


def test_labels_of_other_numbers_are_counted() -> None:
    wording = "Each point has one label; got, by image and object, [[1, 2]] points with [[2, 1]] labels."
    with pytest.raises(ValueError, match=re.escape(wording)):
        points([[[[1, 2]], [[3, 4], [5, 6]]]], [[[1, 1], [1]]])


@pytest.mark.parametrize("label", [0, 1])
def test_a_labelled_point_is_no_padding_wherever_it_is(label: int) -> None:
    with pytest.raises(
        InvalidInputError, match=r"Point \(-10, -10\) at input points\[0\]\[0\]\[1\] is outside its image"
    ):
        points([[[[1, 2], [-10, -10]]]], [[[1, label]]])


@pytest.mark.parametrize(
    ("given", "position"),
    [
        ([[[[-10, -10]]]], r"\[0\]\[0\]\[0\]"),
        ([[[[1, 2], [-10, -10], [3, 4]]]], r"\[0\]\[0\]\[1\]"),
        ([[[[-10, -10]], [[1, 2]]]], r"\[0\]\[0\]\[0\]"),
        (np.full((1, 2, 2, 2), -10), r"\[0\]\[0\]\[0\]"),
    ],
    ids=["alone", "before a point", "before an object", "all"],
)
def test_padding_without_labels_is_only_what_fills_up(given: Any, position: str) -> None:
    with pytest.raises(InvalidInputError, match=rf"Point \(-10, -10\) at input points{position} is outside its image"):
        points(given)


def test_what_fills_up_a_batch_without_labels_stays_padding() -> None:
    ragged = [[[[1, 2], [3, 4]], [[5, 6]]], [[[7, 8]]], None]
    expected = points(ragged, sizes=[(60, 90)] * 3)
    given = np.full((3, 2, 2, 2), -10.0)
    given[0, 0], given[0, 1, 0], given[1, 0, 0] = [[1, 2], [3, 4]], [5, 6], [7, 8]
    tensors = points(given, sizes=[(60, 90)] * 3)
    assert tensors["input_labels"].tolist() == [[[1, 1], [1, -10]], [[1, -10], [-10, -10]], [[-10, -10], [-10, -10]]]
    for name, tensor in tensors.items():
        assert torch.equal(tensor, expected[name])


def test_labels_without_points_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="without input_points"):
        points(None, [[[1]]])


def test_prompts_of_another_number_of_images_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="input points for 2 images but 1 images"):
        points([[[[1, 2]]], [[[1, 2]]]])
    with pytest.raises(InvalidInputError, match="input boxes for 1 images but 2 images"):
        boxes([[[1, 2, 3, 4]]], TWO)


def test_boxes_are_stretched_and_ragged_ones_padded() -> None:
    tensor = boxes([[[9, 6, 18, 12]], [[2, 1, 4, 3], (4, 2, 20, 10)]], TWO)
    expected = [
        [[102.4, 102.4, 204.8, 204.8], [-10, -10, -10, -10]],
        [[102.4, 102.4, 204.8, 307.2], [204.8, 204.8, 1024, 1024]],
    ]
    torch.testing.assert_close(tensor, torch.tensor(expected))


def test_boxes_may_reach_beyond_the_image() -> None:
    torch.testing.assert_close(boxes([[[-9, 6, 99, 66]]])[0, 0], torch.tensor([-102.4, 102.4, 1126.4, 1126.4]))
    torch.testing.assert_close(boxes([[[-10, 6, 9, 12]]])[0, 0, 0].item(), -1024 / 9)  # -10 alone is no padding


@pytest.mark.parametrize(
    "box",
    [[5, 1, 4, 3], [1, 5, 4, 3], [1, 1, 1, 3], [1, 3, 4, 3], [float("nan"), 1, 4, 3], [1, 1, float("inf"), 3],
     [-9, -9, -1, -1], [91, 1, 95, 3], [1, 61, 4, 63]],
)  # fmt: skip
def test_inverted_empty_and_foreign_boxes_are_named(box: list[float]) -> None:
    shown = re.escape(f"Box ({', '.join(f'{value:g}' for value in box)}) at input boxes[0][1]")
    with pytest.raises(InvalidInputError, match=f"{shown}.*x1 < x2.*width 90 and height 60"):
        boxes([[[1, 1, 2, 2], box]])
