"""The policy of everything in a video: its presets, and what it refuses."""

import json
from typing import Any

import pytest

from masklet import EverythingPolicy, InvalidInputError


def test_presets_differ_in_how_often_they_look() -> None:
    presets = [EverythingPolicy.named(name) for name in ("careful", "default", "fast")]
    assert [each.every for each in presets] == [5, 10, 30]
    assert presets[1] == EverythingPolicy() == EverythingPolicy.of(None)
    assert EverythingPolicy.of("fast") == presets[2]


def test_fields_of_a_preset_can_be_replaced() -> None:
    assert EverythingPolicy.named("fast", confirm=1) == EverythingPolicy(every=30, retire_after=150, confirm=1)


def test_a_policy_survives_json() -> None:
    policy = EverythingPolicy(granularity="parts", min_area=7, max_objects=3)
    assert EverythingPolicy.from_json(json.loads(json.dumps(policy.to_json()))) == policy


@pytest.mark.parametrize("described", [{}, [], {**EverythingPolicy().to_json(), "more": 1}])
def test_other_json_is_no_policy(described: object) -> None:
    with pytest.raises(InvalidInputError, match="A policy is an object"):
        EverythingPolicy.from_json(described)


@pytest.mark.parametrize(
    ("field", "values", "allowed"),
    [
        ("every", (0, -1, 1.5, None, "10", True), "whole number from 1"),
        ("confirm", (0, 2.0), "whole number from 1"),
        ("retire_after", (0,), "whole number from 1"),
        ("duplicate_frames", (0,), "whole number from 1"),
        ("min_area", (0, 10.5), "whole number from 1"),
        ("max_objects", (0,), "whole number from 1"),
        ("points_per_side", (0, "32"), "whole number from 1"),
        ("match", (0.49, 1.1, None, "half"), "from 0.5 to 1"),
        ("uncovered_rise", (-0.1, float("nan")), "from 0 to 1"),
        ("cut", (2,), "from 0 to 1"),
        ("contained", (-1,), "from 0 to 1"),
        ("new_share", (1.01,), "from 0 to 1"),
        ("max_area", (95,), "from 0 to 1"),
        ("revive", (-0.5,), "from 0 to 1"),
        ("refresh", (True,), "from 0 to 1"),
        ("duplicate", (80,), "from 0 to 1"),
        ("parts", (1, "yes"), "true or false"),
        ("granularity", ("whole", None), "parts or wholes"),
        ("layers", ("", []), "flat or all"),
    ],
)
def test_values_out_of_range_are_refused(field: str, values: tuple[Any, ...], allowed: str) -> None:
    for value in values:
        with pytest.raises(InvalidInputError, match=rf"{field}.* must be .*{allowed}"):
            EverythingPolicy(**{field: value})


def test_unknown_policies_and_fields_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="no policy 'quick'; the policies are careful, default, fast"):
        EverythingPolicy.named("quick")
    with pytest.raises(InvalidInputError, match="no policy 5"):
        EverythingPolicy.of(5)  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match=r"has no evry, .*it has every, "):
        EverythingPolicy.named("default", evry=5, zoom=1)


@pytest.mark.parametrize(("size", "least"), [((100, 100), 100), ((1000, 1000), 500)])
def test_the_smallest_object_grows_with_the_frame(size: tuple[int, int], least: float) -> None:
    assert EverythingPolicy().least_area(size) == least
    assert EverythingPolicy(min_area=3).least_area(size) == 3


def test_the_budget_depends_on_the_device_unless_it_is_given() -> None:
    assert [EverythingPolicy().on(is_processor=is_slow).budget for is_slow in (True, False)] == [50, 200]
    assert EverythingPolicy(max_objects=4).on(is_processor=False).budget == 4
