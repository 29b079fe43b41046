from pathlib import Path

import pytest

from masklet.errors import InvalidInputError
from masklet.prompts.object_prompts import ObjectPrompt


@pytest.mark.parametrize(
    "prompts",
    [{"points": ((1.5, 2, 0),)}, {"box": (0, -4, 1, 2)}, {"mask": Path("a.png")}],
    ids=lambda each: next(iter(each)),
)
def test_any_one_kind_of_prompt_is_enough(prompts):
    assert ObjectPrompt(3, **prompts).object_id == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"object_id": 0, "box": (0, 0, 1, 1)}, "numbered from 1 to 2147483647; got 0"),
        ({"object_id": 2**31, "box": (0, 0, 1, 1)}, "numbered from 1 to 2147483647; got 2147483648"),
        ({"object_id": 2, "points": ((10**400, 2, 1),)}, r"object 2 is \(1000.*000, 2\) with the label 1"),
        ({"object_id": 2, "box": (0, 0, 10**400, 1)}, "box of object 2"),
        ({"object_id": 2}, "Nothing is said about object 2"),
        ({"object_id": 2, "points": ((1, 2, 5),)}, r"object 2 is \(1, 2\) with the label 5"),
        ({"object_id": 2, "points": ((1, 2, 1), (float("nan"), 2, 1))}, r"object 2 is \(nan, 2\)"),
        ({"object_id": 2, "box": (5, 0, 5, 1)}, r"box of object 2 is \(5, 0, 5, 1\); it must have x1 < x2"),
        ({"object_id": 2, "box": (0, 3, 5, 1)}, r"\(0, 3, 5, 1\).* y1 < y2"),
        ({"object_id": 2, "box": (0, 0, float("inf"), 1)}, r"\(0, 0, inf, 1\)"),
    ],
)
def test_what_cannot_be_a_prompt_is_refused_with_the_objects_number(arguments, message):
    with pytest.raises(InvalidInputError, match=message):
        ObjectPrompt(**arguments)
