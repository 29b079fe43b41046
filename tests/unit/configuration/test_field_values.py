"""Values of fields that are of the wrong kind or beyond what a network can have, from files and keywords."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from masklet.configuration import Sam2Config, Sam2HieraDetConfig, Sam2MaskDecoderConfig, Sam2VisionConfig
from masklet.configuration.field_values import field_value, labels_of
from masklet.errors import CheckpointError, InvalidInputError


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (np.int64(3), int, 3),
        (np.float32(0.5), float, 0.5),
        (2, float, 2),
        (True, bool, True),
        ("relu", str, "relu"),
        ("float16", str | None, "float16"),
        ((1, np.int32(2)), list[int], [1, 2]),
        ([(4, 5), [6, 7]], list[list[int]], [[4, 5], [6, 7]]),
        (["a"], list[str] | None, ["a"]),
    ],
)
def test_values_as_json_holds_them(value: object, kind: Any, expected: object) -> None:
    found = field_value(value, "name", kind)
    assert (found, json.dumps(found)) == (expected, json.dumps(expected))


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (1.5, int),
        (True, int),
        ("1", int),
        (0, int),
        (-1, int),
        (10**400, int),
        (10**400, float),
        (float("nan"), float),
        (float("inf"), float),
        (1, bool),
        (None, str),
        (7, list[int]),
        ("12", list[int]),
        ({"1": 2}, list[int]),
        ([1, "2"], list[int]),
        ([1, [2]], list[int]),
        ([1, -2], list[int]),
        ([1] * 100_000, list[int]),
        ([1, 2], list[list[int]]),
        ([1], list[str] | None),
        (1, str | None),
    ],
)
def test_other_kinds_and_numbers_are_refused_in_one_short_line(value: object, kind: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"^name=.* in a configuration; it must be ") as caught:
        field_value(value, "name", kind)
    assert len(str(caught.value)) < 300
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [("patch_padding", 0, 2**16), ("num_hidden_layers", 1, 1000), ("hidden_size", 1, 2**16), ("layer_norm_eps", 0, 1)],
)
def test_ranges_include_their_ends(name: str, least: int, most: int) -> None:
    kind = float if name == "layer_norm_eps" else int
    assert [field_value(value, name, kind) for value in (least, most)] == [least, most]
    for beyond in (least - 1, most + 1):
        with pytest.raises(InvalidInputError, match=f"{name}={beyond} .* from {least} to {most}"):
            field_value(beyond, name, kind)


def test_none_stands_for_the_default() -> None:
    config = Sam2MaskDecoderConfig(hidden_size=None, hidden_act=None, dtype=None)
    assert config == Sam2MaskDecoderConfig()


@pytest.mark.parametrize(
    "labels", [5, [1], {"a": "leaf"}, {"1e400": "leaf"}, [[1, 2, 3]]], ids=["number", "list", "name", "huge", "threes"]
)
def test_labels_that_are_none_are_refused(labels: object) -> None:
    with pytest.raises(InvalidInputError, match=r"^id2label=.* in a configuration; it maps whole numbers to names"):
        labels_of(labels)


def test_a_hundred_million_labels_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="num_labels must be a whole number from 0 to 100000"):
        Sam2Config(num_labels=10**8)


def test_no_key_of_a_file_takes_the_place_of_a_method_or_a_derived_value() -> None:
    config = Sam2Config(to_dict=5, save_pretrained="x", __class__="y", vision_config={"backbone_config": {"depth": 3}})
    assert config == Sam2Config()
    assert config.vision_config.backbone_config.depth == 12


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"query_stride": [1, 1]}, "query_stride=.1, 1. is not supported"),
        ({"patch_stride": [4]}, "patch_stride is .4.; it needs two values"),
        ({"drop_path_rate": "often"}, "drop_path_rate='often'"),
        ({"stages": 4}, "Older keys .*: stages=4"),
        ({"dim_mul": "x"}, "Older keys .*: dim_mul='x'"),
    ],
)
def test_a_backbone_that_is_none(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        Sam2HieraDetConfig(**fields)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"fpn_kernel_size": 3}, "fpn_kernel_size=3, fpn_stride=1, fpn_padding=0 are not supported"),
        ({"num_feature_levels": 5}, "num_feature_levels=5; there are 4 stages"),
    ],
)
def test_a_neck_that_is_none(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        Sam2VisionConfig(**fields)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"num_maskmem": 1e400}', "num_maskmem=inf"),
        ('{"num_maskmem": ' + "9" * 500 + "}", "num_maskmem=9999.*; it must be from 0 to 65536"),
        ('{"vision_config": [1]}', "vision_config is a list"),
        ('{"vision_config": {"backbone_config": {"embed_dim_per_stage": "wide"}}}', "embed_dim_per_stage='wide'"),
        ('{"x": ' + "[" * 1000 + "]" * 1000 + "}", "nested too deeply"),
        ('{"x": ' + "[" * 500 + "]" * 500 + "}", "nested too deeply"),
        ('{"model_type": ["sam2"]}', r"the configuration of a \['sam2'\] model"),
    ],
)
def test_a_file_is_named_with_what_is_wrong_in_it(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(CheckpointError, match=f"config.json.*{message}"):
        Sam2Config.from_pretrained(tmp_path)


def test_a_keyword_that_is_wrong_is_no_fault_of_the_file(tmp_path: Path) -> None:
    Sam2Config().save_pretrained(tmp_path)
    with pytest.raises(InvalidInputError, match=r"^num_maskmem=-1") as caught:
        Sam2Config.from_pretrained(tmp_path, num_maskmem=-1)
    assert not isinstance(caught.value, CheckpointError)


def test_a_part_of_a_composite_file_that_is_no_object_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"vision_config": {"backbone_config": 7}}')
    with pytest.raises(CheckpointError, match=r"config.json: .* JSON object; got 7 under 'backbone_config'"):
        Sam2HieraDetConfig.from_pretrained(tmp_path)
