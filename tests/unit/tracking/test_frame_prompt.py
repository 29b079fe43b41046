import pytest
import torch

from masklet.errors import InvalidInputError
from masklet.prompts.prompt import Prompt
from masklet.tracking.frame_prompt import clicks_and_box, points_of_prompt, prompt_of_points, whole_mask


def test_padding_is_no_click() -> None:
    assert clicks_and_box([[3, 4], [-10, -10], [5, 6]], [1, -10, 0], None) == Prompt([[3, 4], [5, 6]], [1, 0])


def test_a_box_comes_before_clicks() -> None:
    prompt = clicks_and_box([[9, 9]], [0], [1, 2, 3, 4])
    points, labels = points_of_prompt(prompt)
    assert points.tolist() == [[1, 2], [3, 4], [9, 9]]
    assert labels.tolist() == [2, 3, 0]
    assert prompt_of_points(points, labels) == prompt
    assert clicks_and_box(points, labels, None) == prompt  # as programs of transformers' users give a box
    assert points_of_prompt(clicks_and_box([[9, 9]], [1], None))[1].tolist() == [1]


def test_what_goes_on_from_what() -> None:
    one = clicks_and_box([[3, 4]], [1], None)
    two = one.extended(clicks_and_box([[5, 6]], [0], None))
    assert two.extends(one)
    assert not one.extends(two)
    assert not two.extends(clicks_and_box([[3, 4]], [0], None))
    boxed = clicks_and_box([[3, 4]], [1], [1, 2, 3, 4])
    assert boxed.extends(clicks_and_box(None, None, [1, 2, 3, 4]))
    assert not boxed.extends(one)
    masked = whole_mask(torch.eye(8))
    refined = masked.extended(one)
    assert refined.extends(masked)
    assert masked.extended(boxed).extends(masked)
    assert not refined.extends(one)
    assert not one.extends(masked)
    assert not masked.extends(whole_mask(torch.zeros(8, 8)))


def test_masks_are_thresholded() -> None:
    mask = whole_mask(torch.tensor([[[0.5, 0.4], [1.0, 0.0]]])).mask
    assert mask is not None
    assert mask.tolist() == [[True, False], [True, False]]


@pytest.mark.parametrize(
    ("points", "labels", "box", "complaint"),
    [
        ([[1, 2]], None, None, "points without labels"),
        (None, None, None, "No prompt is given"),
        ([[1, 2], [3, 4]], [1], None, "2 points came with 1 labels"),
        ([[1, 2]], [7], None, "got 7"),
        ([[1, 2], [3, 4]], [1, 2], None, "got 2"),
        ([[-10, -10]], [-10], None, "no click but padding"),
        ([[1, float("nan")]], [1], None, "finite"),
        ([[1, 2], [-10, -10]], [1, 1], None, r"\(-10.0, -10.0\) is outside the network's input"),
        ([[3, -0.5]], [0], [1, 2, 3, 4], "is outside the network's input"),
        ([[1, 2, 3]], [1], None, "pairs"),
        (None, None, [1, 2], "x1, y1, x2, y2"),
    ],
)
def test_prompts_that_do_not_fit(points: object, labels: object, box: object, complaint: str) -> None:
    with pytest.raises(InvalidInputError, match=complaint):
        clicks_and_box(points, labels, box)


def test_masks_that_do_not_fit() -> None:
    with pytest.raises(InvalidInputError, match=r"\[S, S\]; got \[2, 3\]"):
        whole_mask(torch.zeros(2, 3))
    with pytest.raises(InvalidInputError, match=r"got \[2, 4, 4\]"):
        whole_mask(torch.zeros(2, 4, 4))
