"""What programs written for transformers ask of a configuration."""

import json
from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import pytest

from masklet import Sam2Config, Sam2HieraDetConfig, Sam2Processor
from masklet.errors import InvalidInputError


def test_where_it_was_loaded_from_is_known_and_not_saved(saved_model: Path) -> None:
    config = Sam2Config.from_pretrained(saved_model)
    assert config.name_or_path == str(saved_model)
    assert Sam2Config().name_or_path == ""
    assert "name_or_path" not in config.to_json_string()
    assert config == Sam2Config.from_dict(config.to_dict())


def test_older_spellings() -> None:
    config = Sam2Config(dtype="bfloat16", return_dict=False)
    assert (config.torch_dtype, config.use_return_dict) == ("bfloat16", False)
    config.torch_dtype = "torch.float16"
    assert config.dtype == "float16"


def test_labels_are_saved_once_they_are_set() -> None:
    config = Sam2Config()
    assert config.id2label == {0: "LABEL_0", 1: "LABEL_1"}
    assert config.label2id == {"LABEL_0": 0, "LABEL_1": 1}
    assert "id2label" not in config.to_dict()
    config.num_labels = 3
    assert Sam2Config.from_dict(json.loads(config.to_json_string())).id2label == {
        0: "LABEL_0",
        1: "LABEL_1",
        2: "LABEL_2",
    }


def test_only_what_differs_from_the_defaults() -> None:
    config = Sam2Config(num_maskmem=4, vision_config={"backbone_config": {"global_attention_blocks": [5]}})
    assert config.to_diff_dict() == {
        "model_type": "sam2_video",
        "num_maskmem": 4,
        "vision_config": {"backbone_config": {"global_attention_blocks": [5]}},
    }
    assert json.loads(config.to_json_string(use_diff=True)) == config.to_diff_dict()
    assert Sam2Config.from_dict(config.to_diff_dict()) == config


def test_update_sets_fields_that_go_together_and_no_others() -> None:
    config = Sam2HieraDetConfig()
    config.update({"layer_norm_eps": 1e-5, "global_attention_blocks": [3]})
    assert (config.layer_norm_eps, config.global_attention_blocks) == (1e-5, [3])
    before = config.to_dict()
    with pytest.raises(InvalidInputError):
        config.update({"layer_norm_eps": 1e-4, "window_size_per_stage": [8]})
    assert config.to_dict() == before


def test_a_dictionary_and_what_was_left_over(saved_model: Path) -> None:
    values, unused = Sam2Config.get_config_dict(saved_model, revision="main", foo=1)
    assert values == json.loads((saved_model / "config.json").read_text())
    assert unused == {"foo": 1}
    config, unused = Sam2Config.from_dict(values, return_unused_kwargs=True, foo=1, num_maskmem=2)
    assert (config.num_maskmem, unused) == (2, {"foo": 1})


@pytest.mark.parametrize("part", [Sam2Config(), Sam2Processor(), Sam2Processor().image_processor])
def test_configurations_and_processors_are_uploaded(
    part: Sam2Config | Sam2Processor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploaded = []
    hub = SimpleNamespace(
        create_repo=lambda repo_id, **_: SimpleNamespace(repo_id=f"me/{repo_id}"),
        upload_folder=lambda **given: uploaded.append(
            (given["repo_id"], given["commit_message"], [each.name for each in Path(given["folder_path"]).iterdir()])
        ),
    )
    monkeypatch.setattr(huggingface_hub, "HfApi", lambda token: hub)
    part.save_pretrained(tmp_path / "mine", push_to_hub=True, commit_message="First", token="x")
    part.save_pretrained(tmp_path / "mine", push_to_hub=False)
    assert uploaded == [("me/mine", "First", [each.name for each in (tmp_path / "mine").iterdir()])]
