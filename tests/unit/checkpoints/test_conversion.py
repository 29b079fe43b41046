import json

import pytest
import torch
from tests.support.tensor_names import assert_same_tensors, small_meta_tensors

from masklet.checkpoints.conversion import convert
from masklet.checkpoints.layouts import in_current_layout
from masklet.checkpoints.layouts.seed import SEED
from masklet.checkpoints.reading import read_weights
from masklet.configuration import Sam2Config, preset
from masklet.errors import CheckpointError, InvalidInputError


@pytest.fixture
def meta_file(tmp_path):
    path = tmp_path / "sam2.1_hiera_tiny.pt"
    torch.save({"model": small_meta_tensors()}, path)
    return path


def target_of(folder, layout):
    return folder / ("there.pt" if layout == "meta" else "there")


def read_config(folder):
    return json.loads((folder / "config.json").read_text())


def test_meta_video_checkpoint_to_current(tmp_path, meta_file):
    convert(meta_file, tmp_path / "current", "current")
    tensors = read_weights(tmp_path / "current").tensors
    assert len(tensors) == 469
    assert_same_tensors(tensors, in_current_layout(small_meta_tensors()))
    config = read_config(tmp_path / "current")
    assert config["architectures"] == ["Sam2VideoModel"]
    assert config["model_type"] == "sam2_video"
    assert config["vision_config"]["backbone_config"]["blocks_per_stage"] == [1, 2, 7, 2]
    assert Sam2Config.from_dict({**config, "architectures": None}) == preset("tiny", "2.1")


def test_meta_video_checkpoint_to_seed(tmp_path, meta_file):
    convert(meta_file, tmp_path / "seed", "seed")
    tensors = read_weights(tmp_path / "seed").tensors
    assert len(tensors) == 472
    assert_same_tensors(tensors, SEED.from_current(in_current_layout(small_meta_tensors())))
    config = read_config(tmp_path / "seed")
    assert config["model_type"] == "sam2"
    assert config["vision_config"]["backbone_config"]["stages"] == [1, 2, 7, 2]


@pytest.mark.parametrize("layout", ["meta", "seed", "current"])
@pytest.mark.parametrize("max_shard_size", ["5GB", 2000])
def test_round_trip_is_bit_identical(tmp_path, meta_file, layout, max_shard_size):
    convert(meta_file, tmp_path / "start", "current")
    convert(tmp_path / "start", target_of(tmp_path, layout), layout, max_shard_size=max_shard_size)
    convert(target_of(tmp_path, layout), tmp_path / "back", "current")
    for name in ("model.safetensors", "config.json"):
        assert (tmp_path / "back" / name).read_bytes() == (tmp_path / "start" / name).read_bytes()


def test_meta_file_comes_back_with_all_its_tensors_in_the_form_that_meta_reads(tmp_path, meta_file):
    convert(meta_file, tmp_path / "seed", "seed")
    convert(tmp_path / "seed", tmp_path / "back.pt", "meta")
    assert_same_tensors(torch.load(tmp_path / "back.pt", weights_only=True)["model"], small_meta_tensors())


def test_model_of_its_own_shape_keeps_its_configuration_through_the_meta_layout(tmp_path):
    config = preset("tiny").to_dict()
    config["vision_config"]["backbone_config"]["global_attention_blocks"] = [6, 8]
    torch.save({"model": small_meta_tensors(), "config": config}, tmp_path / "own.pt")
    convert(tmp_path / "own.pt", tmp_path / "current", "current")
    assert Sam2Config.from_pretrained(tmp_path / "current").vision_config.backbone_config.global_attention_blocks == [
        6,
        8,
    ]


@pytest.mark.parametrize("layout", ["meta", "seed", "current"])
def test_drawing_boxes_survives_every_layout_and_is_noted(tmp_path, layout):
    config = preset("tiny").to_dict()
    config["prompt_encoder_config"]["draws_boxes"] = True
    torch.save({"model": small_meta_tensors(), "config": config}, tmp_path / "own.pt")
    note = convert(tmp_path / "own.pt", target_of(tmp_path, layout), layout)
    assert "draws_boxes" in note
    assert "binarize" not in note
    assert convert(target_of(tmp_path, layout), tmp_path / "back", "current") == note
    assert Sam2Config.from_pretrained(tmp_path / "back").prompt_encoder_config.draws_boxes


@pytest.mark.parametrize("layout", ["meta", "seed", "current"])
def test_nothing_is_noted_about_a_released_model(tmp_path, meta_file, layout):
    assert convert(meta_file, target_of(tmp_path, layout), layout) is None


def test_the_reason_why_a_program_cannot_run_the_network_is_noted(tmp_path):
    config = preset("tiny").to_dict()
    config["vision_config"]["backbone_config"]["global_attention_blocks"] = [10]
    torch.save({"model": small_meta_tensors(), "config": config}, tmp_path / "own.pt")
    for layout, program in (("current", "transformers"), ("meta", "Meta's sam2")):
        assert convert(tmp_path / "own.pt", target_of(tmp_path, layout), layout) == (
            f"{program} cannot run this network: global attention in block 10, which opens a stage and pools its "
            "queries."
        )


@pytest.mark.parametrize("layout", ["meta", "seed", "current"])
def test_image_checkpoint_and_half_precision(tmp_path, layout):
    image = ("image_encoder.", "sam_", "no_mem_embed")
    tensors = {name: each.half() for name, each in small_meta_tensors().items() if name.startswith(image)}
    torch.save({"model": tensors}, tmp_path / "image.pt")
    convert(tmp_path / "image.pt", target_of(tmp_path, layout), layout)
    assert_same_tensors(
        in_current_layout(read_weights(target_of(tmp_path, layout)).tensors), in_current_layout(tensors)
    )
    if layout != "meta":
        assert read_config(tmp_path / "there")["architectures"] == ["Sam2Model"]


def test_processor_files_come_along(tmp_path, meta_file):
    convert(meta_file, tmp_path / "current", "current")
    (tmp_path / "current" / "preprocessor_config.json").write_text('{"size": 7}')
    convert(tmp_path / "current", tmp_path / "seed", "seed")
    assert (tmp_path / "seed" / "preprocessor_config.json").read_text() == '{"size": 7}'


@pytest.mark.parametrize(
    ("target", "layout"), [("folder", "meta"), ("x.pt", "seed"), ("x.pt", "current"), ("x", "onnx")]
)
def test_target_that_does_not_suit_the_layout_is_an_error_and_writes_nothing(tmp_path, meta_file, target, layout):
    with pytest.raises(InvalidInputError, match=layout):
        convert(meta_file, tmp_path / target, layout)
    assert list(tmp_path.iterdir()) == [meta_file]


def test_weights_of_another_model_are_an_error(tmp_path):
    torch.save({"bert.weight": torch.zeros(3)}, tmp_path / "bert.pt")
    with pytest.raises(CheckpointError, match="no released model"):
        convert(tmp_path / "bert.pt", tmp_path / "target", "current")
    assert not (tmp_path / "target").exists()
