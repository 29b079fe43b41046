"""What all configurations can do: unknown keys, files, equality, parts of composite files, refusals."""

import errno
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from masklet.configuration import (
    Config,
    Sam2Config,
    Sam2HieraDetConfig,
    Sam2MaskDecoderConfig,
    Sam2PromptEncoderConfig,
    Sam2VisionConfig,
)
from masklet.errors import CheckpointError, InvalidInputError

NARROW = {"hidden_size": 12, "blocks_per_stage": [1, 1, 1, 1], "global_attention_blocks": [3]}


def narrow_config(**fields: Any) -> Sam2Config:
    backbone = Sam2HieraDetConfig(**NARROW)
    vision = Sam2VisionConfig(backbone_config=backbone, backbone_channel_list=[96, 48, 24, 12], fpn_hidden_size=32)
    return Sam2Config(vision_config=vision, **fields)


@pytest.mark.parametrize(
    "config",
    [
        Sam2HieraDetConfig(**NARROW),
        Sam2PromptEncoderConfig(hidden_size=32, unheard_of={"a": [1]}),
        Sam2MaskDecoderConfig(mlp_dim=64),
        narrow_config(image_size=256, num_maskmem=3),
    ],
    ids=lambda config: type(config).__name__,
)
def test_round_trips(config: Config, tmp_path: Path) -> None:
    config.save_pretrained(tmp_path / "saved")
    config.to_json_file(tmp_path / "alone.json")
    assert type(config).from_pretrained(tmp_path / "saved") == config
    assert type(config).from_json_file(tmp_path / "alone.json") == config
    assert type(config).from_dict(config.to_dict()) == config
    assert json.loads(config.to_json_string()) == config.to_dict()


def test_unknown_keys_are_kept_as_attributes_and_in_files(tmp_path: Path) -> None:
    Sam2Config(fill_hole_area=8, transformers_version="9.9").save_pretrained(tmp_path)
    loaded = Sam2Config.from_pretrained(tmp_path)
    assert (loaded.fill_hole_area, loaded.transformers_version) == (8, "9.9")


def test_equality_is_by_value_and_notices_one_nested_field() -> None:
    other = narrow_config()
    assert other == narrow_config()
    other.vision_config.backbone_config.layer_norm_eps = 1e-5
    assert other != narrow_config()
    assert other != other.to_dict()


def test_parts_may_be_objects_dictionaries_or_missing() -> None:
    by_object = Sam2Config(mask_decoder_config=Sam2MaskDecoderConfig(mlp_dim=64))
    by_dictionary = Sam2Config(mask_decoder_config={"mlp_dim": 64}, vision_config=None)
    assert by_object == by_dictionary
    assert by_dictionary.vision_config == Sam2VisionConfig()
    with pytest.raises(InvalidInputError, match="vision_config is a list"):
        Sam2Config(vision_config=[1])


def test_backbone_dictionary_without_a_model_type_is_a_backbone() -> None:
    vision = Sam2VisionConfig(backbone_config=NARROW, backbone_channel_list=[96, 48, 24, 12])
    assert isinstance(vision.backbone_config, Sam2HieraDetConfig)
    assert vision.backbone_config.embed_dim_per_stage == [12, 24, 48, 96]


@pytest.mark.parametrize(
    ("part", "path"),
    [
        (Sam2HieraDetConfig, ("vision_config", "backbone_config")),
        (Sam2VisionConfig, ("vision_config",)),
        (Sam2PromptEncoderConfig, ("prompt_encoder_config",)),
        (Sam2MaskDecoderConfig, ("mask_decoder_config",)),
    ],
)
def test_a_part_picks_its_own_out_of_a_composite_file(
    part: type[Config], path: tuple[str, ...], tmp_path: Path
) -> None:
    composite = narrow_config(prompt_encoder_config={"mask_input_channels": 8}, mask_decoder_config={"mlp_dim": 64})
    composite.save_pretrained(tmp_path)
    expected: Any = composite
    for name in path:
        expected = getattr(expected, name)
    assert part.from_pretrained(tmp_path) == expected


def test_backbone_picks_its_own_out_of_a_vision_file(tmp_path: Path) -> None:
    narrow_config().vision_config.save_pretrained(tmp_path)
    assert Sam2HieraDetConfig.from_pretrained(tmp_path).hidden_size == 12


def test_overrides_and_subfolder(tmp_path: Path) -> None:
    narrow_config().save_pretrained(tmp_path / "model")
    loaded = Sam2Config.from_pretrained(tmp_path, subfolder="model", num_maskmem=2, fill_hole_area=0)
    assert (loaded.num_maskmem, loaded.fill_hole_area) == (2, 0)
    assert loaded.vision_config.fpn_hidden_size == 32


@pytest.mark.parametrize(
    ("reader", "found"),
    [(Sam2Config, "bert"), (Sam2VisionConfig, "sam2_hiera_det_model"), (Sam2PromptEncoderConfig, "sam")],
)
def test_the_configuration_of_another_model_is_refused(reader: type[Config], found: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": found}))
    with pytest.raises(CheckpointError, match=rf"config.json is the configuration of a '{found}' model"):
        reader.from_pretrained(tmp_path)


@pytest.mark.parametrize("model_type", [{"model_type": "sam2"}, {"model_type": "sam2_video"}, {}])
def test_both_spellings_of_the_composite_load(model_type: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(model_type))
    assert Sam2Config.from_pretrained(tmp_path) == Sam2Config()


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"{", "is not JSON"), (b"[1]", r"a JSON object; got \[1\]"), (b"\xff\xfe", "is not JSON")],
)
def test_damaged_files_are_named(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(CheckpointError, match=f"config.json.*{message}"):
        Sam2Config.from_pretrained(tmp_path)


def test_missing_file_is_an_os_error_that_names_the_folder(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=str(tmp_path)):
        Sam2Config.from_pretrained(tmp_path)


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    narrow_config().save_pretrained(tmp_path)

    def full(path: Path, text: str, **options: Any) -> None:
        path.write_bytes(text[: len(text) // 2].encode())
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", full)
        with pytest.raises(OSError, match="No space left"):
            Sam2Config().save_pretrained(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]
    assert Sam2Config.from_pretrained(tmp_path) == narrow_config()


def test_number_of_labels(tmp_path: Path) -> None:
    config = Sam2Config()
    assert config.num_labels == 2
    config.num_labels = 3
    assert config.id2label == {0: "LABEL_0", 1: "LABEL_1", 2: "LABEL_2"}
    assert config.label2id["LABEL_2"] == 2
    assert Sam2Config(num_labels=3) == config
    config.save_pretrained(tmp_path)
    loaded = Sam2Config.from_pretrained(tmp_path)
    assert (loaded.num_labels, loaded) == (3, config)


@pytest.mark.parametrize("given", [{"dtype": "bfloat16"}, {"torch_dtype": "torch.bfloat16"}])
def test_both_spellings_of_the_dtype(given: dict[str, str]) -> None:
    assert Sam2Config(**given).dtype == "bfloat16"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"window_size_per_stage": [8, 4]}, r"window_size_per_stage is \[8, 4\]; it needs 4 values"),
        ({"embed_dim_per_stage": [96, 192]}, "embed_dim_per_stage .* needs 4 values"),
        ({"num_attention_heads": 5}, "holds 96, which 5 attention heads do not divide"),
        ({"num_query_pool_stages": 4}, "num_query_pool_stages=4; allowed: 0 to 3"),
    ],
)
def test_backbones_that_cannot_be_built_are_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        Sam2HieraDetConfig(**fields)


def test_a_neck_for_another_backbone_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"\[768, 384, 192, 96\]; the backbone gives \[96, 48, 24, 12\]"):
        Sam2VisionConfig(backbone_config=NARROW)


@pytest.mark.parametrize(
    ("config_class", "fields", "message"),
    [
        (Sam2Config, {"image_size": "128"}, "image_size='128'.*type int"),
        (Sam2Config, {"image_size": 128.0}, r"image_size=128\.0.*type int"),
        (Sam2HieraDetConfig, {"hidden_size": True}, "hidden_size=True.*type int"),
        (Sam2HieraDetConfig, {"mlp_ratio": "4"}, "mlp_ratio='4'.*type float"),
        (Sam2VisionConfig, {"hidden_act": 5}, "hidden_act=5.*type str"),
        (Sam2Config, {"enable_occlusion_spatial_embedding": 1}, "type bool"),
    ],
)
def test_values_of_another_type_are_named(config_class: type[Config], fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        config_class(**fields)


def test_numbers_of_numpy_are_saved() -> None:
    config = Sam2Config(image_size=np.int64(96), initializer_range=np.float32(0.5))
    assert json.loads(config.to_json_string())["image_size"] == 96
    assert config.initializer_range == 0.5
