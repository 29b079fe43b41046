"""The value that every way of prompting speaks: what it takes, refuses, and what it is in a crop and in JSON."""

import json
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from masklet.errors import InvalidInputError
from masklet.masks.views import View
from masklet.prompts.batches import PromptBatches
from masklet.prompts.prompt import Prompt
from masklet.prompts.prompt_lists import prompts_of_lists

coordinates = st.floats(-1e4, 1e4, width=32)


@st.composite
def prompts(draw: st.DrawFn) -> Prompt:
    points = draw(st.lists(st.tuples(coordinates, coordinates), max_size=4))
    labels = draw(st.lists(st.sampled_from([1, 0, -1]), min_size=len(points), max_size=len(points)))
    x, y = draw(coordinates), draw(coordinates)
    box = draw(st.none() | st.just([x, y, x + 1 + abs(x), y + 1 + abs(y)]))
    return Prompt(points, labels, box, draw(st.none() | arrays(np.bool_, (3, 5))))


@settings(deadline=None)
@given(prompts())
def test_json_is_read_back_as_the_same(prompt: Prompt) -> None:
    assert Prompt.from_json(json.loads(json.dumps(prompt.to_json()))) == prompt


def test_json_is_short_and_what_prompt_files_hold() -> None:
    prompt = Prompt([[320.2, 200], [3, 4]], [1, 0], [0.1, 1, 2, 3], np.ones((2, 2), bool))
    assert prompt.to_json() == {
        "points": [[320.2, 200, 1], [3, 4, 0]],
        "box": [0.1, 1, 2, 3],
        "mask": {"size": [2, 2], "counts": "04"},
    }
    assert Prompt.from_json({"points": [[3, 4]]}) == Prompt([[3, 4]], [1])
    assert Prompt.from_json({}) == Prompt()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([1, 2], "A prompt is an object with the keys points, box, mask"),
        ({"boxes": []}, "keys points, box, mask; got {'boxes'"),
        ({"points": 5}, "'points' are listed as"),
        ({"points": [3, 4]}, r"a point must be \[x, y\] or \[x, y, label\]; got 3"),
        ({"points": [[1, 2, 3, 4]]}, r"a point must be .* got \[1, 2, 3, 4\]"),
        ({"points": [[True, 2]]}, "a point must be"),
        ({"points": [[1, "2"]]}, "a point must be"),
        ({"points": [[1, 2, 2]]}, "label must be"),
        ({"box": [1, 2, 3]}, "'box' must be"),
        ({"box": [[1, 2], [3, 4]]}, "'box' must be"),
        ({"mask": [[1]]}, "Run lengths need 'size'"),
    ],
)
def test_json_that_is_no_prompt(value: object, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        Prompt.from_json(value)


def test_logits_have_no_json() -> None:
    with pytest.raises(InvalidInputError, match="mask > 0"):
        Prompt(mask=np.zeros((4, 4), np.float32)).to_json()


@pytest.mark.parametrize("kind", [list, np.array, lambda values: torch.tensor(values, dtype=torch.float64)])
def test_numbers_in_any_container(kind: Any) -> None:
    prompt = Prompt(kind([[1.5, 2], [3, 4]]), kind([1, 0]), kind([0, 0, 5, 5]), kind([[0, 1], [2, 0]]))
    assert (prompt.points.dtype, prompt.points.tolist()) == (np.float32, [[1.5, 2], [3, 4]])
    assert (prompt.labels.dtype, prompt.labels.tolist()) == (np.int64, [1, 0])
    assert prompt.box is not None
    assert prompt.box.tolist() == [0, 0, 5, 5]
    assert prompt.mask is not None
    assert prompt.mask.tolist() == (
        [[0, 1], [2, 0]] if prompt.mask.dtype == np.float32 else [[False, True], [True, False]]
    )


def test_what_is_given_may_change_afterwards() -> None:
    given = {"points": np.ones((1, 2), np.float32), "labels": np.ones(1, np.int64), "box": np.float32([0, 0, 1, 1])}
    given["mask"] = np.ones((2, 2), np.float32)
    prompt, copied = Prompt(**given), Prompt(**{name: value.copy() for name, value in given.items()})
    for value in given.values():
        value[:] = 0
    assert prompt == copied


@pytest.mark.parametrize("mask", [np.ones((2, 2), bool), np.ones((2, 2), np.float32)])
def test_what_a_prompt_holds_cannot_be_changed(mask: np.ndarray) -> None:
    prompt = Prompt([[1, 2]], [1], (0, 0, 1, 1), mask)
    for name in ("points", "labels", "box", "mask"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(prompt, name)[:] = 0
    mask[:] = 0  # the caller's own can


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"points": [[1, 2, 3]]}, r"points must have the shape \[n, 2\]; got \[1, 3\]"),
        ({"points": [[1, float("nan")]]}, "points must be finite"),
        ({"points": [[1, 10**400]]}, "points must be an array of numbers"),
        ({"points": [[1, 1e300]]}, "points must be finite"),
        ({"points": [[1, 2]], "labels": [1, 0]}, r"1 points need labels of the shape \[1\]; got \[2\]"),
        ({"points": [[1, 2]], "labels": [2]}, "label must be 1 .* got 2"),
        ({"points": [[1, 2]], "labels": [-10]}, "label must be 1 .* got -10"),
        ({"labels": [1]}, r"0 points need labels of the shape \[0\]"),
        ({"box": [1, 2, 3]}, r"box must be \(x1, y1, x2, y2\)"),
        ({"box": [1, 2, 1, 3]}, r"box \(1, 2, 1, 3\) must have x1 < x2"),
        ({"box": [1, 2, 3, float("inf")]}, "box must be finite"),
        ({"mask": [[1, 0], [1]]}, "mask must be an array"),
        ({"mask": np.zeros((1, 2, 2))}, r"mask must have the shape \[h, w\]; got \[1, 2, 2\]"),
        ({"mask": np.zeros((0, 2))}, "mask must have the shape"),
        ({"mask": np.full((2, 2), np.nan)}, "mask must be finite"),
    ],
)
def test_what_is_no_prompt(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        Prompt(**arguments)


def test_in_a_crop_there_are_the_points_that_it_shows() -> None:
    mask = np.arange(100).reshape(10, 10) > 44
    prompt = Prompt([[2, 3], [6, 8], [6.5, 3], [0, 0]], [1, 0, -1, 0], [1, -2, 4, 5], mask)
    moved = prompt.moved_to(View(2, 3, 6, 8))
    assert moved == Prompt([[0, 0], [4, 5]], [1, 0], [-1, -5, 2, 2], mask[3:8, 2:6])
    assert Prompt().moved_to(View(2, 3, 6, 8)).is_empty
    with pytest.raises(InvalidInputError, match="10 x 10 pixels does not reach as far"):
        prompt.moved_to(View(2, 3, 6, 11))


def test_where_a_prompt_may_lie() -> None:
    inside = [
        Prompt([[0, 0], [6, 4]]),
        Prompt([[7, 5]], [-1]),
        Prompt(box=[-3, -3, 0.5, 0.5]),
        Prompt(box=[5, 3, 9, 9]),
        Prompt(mask=np.ones((9, 9))),
    ]
    outside = [Prompt([[6.5, 2]]), Prompt([[1, -0.5]], [0]), Prompt(box=[6, 1, 9, 3]), Prompt(box=[-4, 1, 0, 3])]
    for prompt in inside:
        prompt.check_in_image(4, 6)
    for prompt in outside:
        with pytest.raises(InvalidInputError, match="of 6 x 4 pixels"):
            prompt.check_in_image(4, 6)


def test_equal_prompts() -> None:
    assert Prompt([[1, 2]], box=[0, 0, 1, 1]) == Prompt(np.array([[1, 2]]), [1], (0, 0, 1, 1))
    for other in (
        Prompt([[1, 2]], [0]),
        Prompt([[1, 3]]),
        Prompt([[1, 2]], box=[0, 0, 1, 1]),
        Prompt([[1, 2]], mask=[[1]]),
    ):
        assert Prompt([[1, 2]]) != other
    assert Prompt(mask=[[1]]) != Prompt(mask=[[1.0]])  # logits are no bools


def test_lists_of_each_kind() -> None:
    mask = np.ones((2, 2))
    first, second = prompts_of_lists(
        points=[[[1, 2], [3, 4]], np.zeros((0, 2))], labels=[[1, -10], []], boxes=[[0, 0, 1, 1]] * 2, masks=mask
    )
    assert first == Prompt([[1, 2]], [1], [0, 0, 1, 1], mask)
    assert second == Prompt((), (), [0, 0, 1, 1], mask)


def test_batches_keep_the_order_of_the_objects() -> None:
    given = [Prompt([[number, 0]] * (1 + number % 2)) for number in range(5)]
    batches = PromptBatches.by_shape(given)
    assert [len(batch) for batch in batches] == [3, 2]
    parts = [(torch.tensor([prompt.points[0, 0] for prompt in batch]),) * 2 for batch in batches]
    first, second = batches.joined(parts)
    assert first.tolist() == second.tolist() == [0, 1, 2, 3, 4]
    assert len(PromptBatches.together(given).places) == 1
