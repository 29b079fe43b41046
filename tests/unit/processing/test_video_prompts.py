"""Prompts on a frame, object by object: scaled, without padding, and refused where they do not fit."""

from typing import Any

import numpy as np
import pytest
import torch

from masklet.errors import InvalidInputError
from masklet.masks.views import View
from masklet.processing.video_prompts import clicks_and_boxes, video_prompts
from masklet.prompts.prompt import Prompt

SIZE, SIDE = (20, 30), 60  # x doubles, y triples


def prompts(obj_ids: Any, **given: Any) -> dict[int, Prompt]:
    return video_prompts(obj_ids, **{"size": SIZE, "target_size": SIDE, **given})


def test_ragged_clicks_come_without_padding() -> None:
    found = prompts([7, 3], points=[[[[1, 2]], [[3, 4], [5, 6]]]], labels=[[[1], [1, 0]]])
    assert list(found) == [7, 3]
    assert found[7].points.tolist() == [[2, 6]]
    assert found[7].labels.tolist() == [1]
    assert found[3].points.tolist() == [[6, 12], [10, 18]]
    assert found[3].labels.tolist() == [1, 0]


def test_padding_of_the_caller_is_dropped() -> None:
    points, labels = [[[[1, 2], [-10, -10]]]], [[[1, -10]]]
    assert prompts(1, points=points, labels=labels)[1].points.tolist() == [[2, 6]]


def test_a_box_leads_the_clicks() -> None:
    found = prompts([1], points=[[[[5, 6]]]], labels=[[[0]]], boxes=[[[1, 2, 11, 12]]])[1]
    assert found == Prompt([[10, 18]], [0], [2, 6, 22, 36])


def test_two_boxes_and_an_object_without_one() -> None:
    found = prompts([1, 2], boxes=[[[1, 2, 11, 12], [0, 0, 30, 20]]])
    assert found[2] == Prompt(box=[0, 0, 60, 60])
    found = prompts([1, 2], points=[[[], [[5, 6]]]], labels=[[[], [1]]], boxes=[[[1, 2, 11, 12], [-10, -10, -10, -10]]])
    assert found == {1: Prompt(box=[2, 6, 22, 36]), 2: Prompt([[10, 18]], [1])}


@pytest.mark.parametrize(
    "obj_ids", [3, [3], (3,), np.int64(3), np.array([3]), torch.tensor([3]), torch.tensor(3)], ids=repr
)
def test_object_ids_of_every_kind(obj_ids: Any) -> None:
    (object_id,) = prompts(obj_ids, points=[[[[1, 2]]]], labels=[[[1]]])
    assert object_id == 3
    assert type(object_id) is int


def test_nothing_given_is_changed() -> None:
    object_ids, points, labels = [4, 2], [[[[1, 2]], [[3, 4], [5, 6]]]], [[[1], [1, 0]]]
    prompts(object_ids, points=points, labels=labels)
    assert (object_ids, points, labels) == ([4, 2], [[[[1, 2]], [[3, 4], [5, 6]]]], [[[1], [1, 0]]])


def test_masks_as_large_as_the_network_sees_need_no_size() -> None:
    found = prompts([1, 2], masks=np.stack([np.ones((60, 60)), np.zeros((60, 60))]), size=None)
    assert [prompt.mask is not None and bool(prompt.mask.any()) for prompt in found.values()] == [True, False]


CLICK: dict[str, Any] = {"points": [[[[1, 2]]]], "labels": [[[1]]]}
MASK = np.ones((20, 30), bool)


@pytest.mark.parametrize(
    ("obj_ids", "given", "message"),
    [
        (1, {"points": CLICK["points"]}, "points without labels"),
        (1, {"labels": CLICK["labels"]}, "labels without points"),
        (1, {}, "No prompt is given; an object needs points, a box or a mask"),
        (1, {**CLICK, "masks": MASK}, "A mask is given alone"),
        (1, {"boxes": [[[1, 2, 3, 4]]], "masks": MASK}, "A mask is given alone"),
        ([1, 2], CLICK, "2 object ids but points of 1"),
        ([1, 2], {"boxes": [[[1, 2, 3, 4]]]}, "2 object ids but boxes of 1"),
        ([1, 2], {"masks": [MASK]}, "2 object ids but 1 masks"),
        (1, {**CLICK, "size": None}, "not known yet; push the first one, or give original_size"),
        ([1, 2], {"points": [[[[1, 2]], []]], "labels": [[[1], []]]}, "Object 2: The prompt is empty"),
        ([1, 1], {"boxes": [[[1, 2, 3, 4]] * 2]}, r"obj_ids must be different, .* got \[1, 1\]"),
        ([], CLICK, "obj_ids is empty"),
        ("dog", CLICK, "obj_ids must be a whole number or a list of such, got 'dog'"),
        ([1.5], CLICK, r"obj_ids must be a whole number or a list of such, got \[1.5\]"),
        (None, CLICK, "obj_ids must be a whole number or a list of such, got None"),
        (1, {"points": [[[1, 2]]], "labels": [[[1]]]}, "Input points are nested 4 levels deep"),
        (1, {"points": [[[[31, 2]]]], "labels": [[[1]]]}, r"Point \(31, 2\) .* is outside its image of width 30"),
        (1, {"points": [[[[1, 2]]]], "labels": [[[5]]]}, "a label must be 1"),
        (1, {"points": [[[[1, 2]]]] * 2, "labels": [[[1]]] * 2}, "Got input points for 2 images"),
        (1, {"boxes": [[[5, 2, 3, 4]]]}, "with x1 < x2"),
    ],
)
def test_what_does_not_fit(obj_ids: Any, given: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        prompts(obj_ids, **given)


@pytest.mark.parametrize("side", [96, 512, 1024])
@pytest.mark.parametrize(("height", "width"), [(20, 30), (1080, 1920), (4320, 7680), (333, 777)])
def test_what_was_typed_comes_back_to_be_drawn(height: int, width: int, side: int) -> None:
    clicks = [(0.0, 0.0, 1), (width - 0.5, height - 0.5, 0), (width / 4, 1.25, 1), (float(width), float(height), 0)]
    box = (0.5, 1.0, width - 1.0, height - 0.25)
    given = {"points": [[[click[:2] for click in clicks]]], "labels": [[[click[2] for click in clicks]]]}
    (prompt,) = video_prompts(1, boxes=[[box]], **given, size=(height, width), target_size=side).values()
    assert clicks_and_boxes(prompt, View(0, 0, width, height), side) == (clicks, [box])


def test_of_a_mask_nothing_is_drawn() -> None:
    (prompt,) = prompts(1, masks=[np.ones(SIZE, bool)]).values()
    assert clicks_and_boxes(prompt, View.whole(*SIZE), SIDE) == ([], [])
