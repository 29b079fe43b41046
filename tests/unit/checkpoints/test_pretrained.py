import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import huggingface_hub
import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.support.tensor_names import assert_same_tensors
from torch import nn

from masklet import Sam2Model
from masklet.checkpoints.pretrained import PretrainedModel
from masklet.configuration import Config
from masklet.errors import CheckpointError, InvalidInputError


class HeadConfig(Config):
    model_type: ClassVar[str] = "small"
    path_in_composite: ClassVar[tuple[str, ...]] = ("head_config",)

    width: int = 3
    scale: float = 1.0


class HeadModel(PretrainedModel):
    config_class = HeadConfig
    ignored_tensor_patterns = (r"memory_", r"no_object_pointer$")
    base_model_prefix = "body.head"

    def __init__(self, config: HeadConfig) -> None:
        super().__init__(config)
        self.proj = nn.Linear(config.width, 2)
        self.register_buffer("steps", torch.zeros(2, dtype=torch.int64))
        self.register_buffer("table", torch.full((2,), config.scale), persistent=False)


class TwoEmbeddings(PretrainedModel):
    config_class = HeadConfig

    def __init__(self, config: HeadConfig) -> None:
        super().__init__(config)
        self.shared_image_embedding = nn.Module()
        self.shared_image_embedding.register_buffer("positional_embedding", torch.randn(2, config.width))
        self.prompt_encoder = nn.Module()
        self.prompt_encoder.shared_embedding = self.shared_image_embedding
        self.proj = nn.Linear(2, 2)


@pytest.fixture
def model():
    torch.manual_seed(0)
    model = HeadModel(HeadConfig(width=4, scale=2.5))
    model.steps += 7
    return model


def rewrite(folder, change):
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "new.safetensors")
    (folder / "new.safetensors").rename(folder / "model.safetensors")


def test_saved_model_loads_equal_in_evaluation_mode(tmp_path, model):
    model.save_pretrained(tmp_path)
    loaded = HeadModel.from_pretrained(tmp_path)
    assert_same_tensors(loaded.state_dict(), model.state_dict())
    assert loaded.table.tolist() == [2.5, 2.5]
    assert loaded.config.width == 4
    assert not loaded.training
    assert all(parameter.requires_grad for parameter in loaded.parameters())


def test_saved_config_names_architecture_and_dtype(tmp_path, model):
    model.bfloat16().save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    assert (config["architectures"], config["dtype"], config["width"]) == (["HeadModel"], "bfloat16", 4)
    assert model.config.architectures is None


def test_config_fields_and_config_can_be_given(tmp_path, model):
    model.save_pretrained(tmp_path)
    assert HeadModel.from_pretrained(tmp_path, scale=9.0).table.tolist() == [9.0, 9.0]
    given = HeadConfig(width=4, scale=5.0)
    assert HeadModel.from_pretrained(tmp_path, config=given).table.tolist() == [5.0, 5.0]
    assert HeadModel.from_pretrained(tmp_path, config=given, scale=6.0).table.tolist() == [6.0, 6.0]
    assert given.scale == 5.0


def test_arguments_that_would_have_no_effect_are_refused(tmp_path, model):
    """Kept as keys of the configuration, a misspelt option would change nothing."""
    model.save_pretrained(tmp_path)
    with pytest.raises(InvalidInputError, match=r"does not know devcie, x; allowed: config, device, .*HeadConfig"):
        HeadModel.from_pretrained(tmp_path, devcie="cuda", x=1)
    assert HeadModel.from_pretrained(tmp_path, fill_hole_area=0).config.width == 4  # of the seed era


@pytest.mark.parametrize("given", [None, {"width": 4}, Config()])
def test_configurations_of_another_kind_are_refused(tmp_path, model, given):
    with pytest.raises(InvalidInputError, match=f"HeadModel is built from a HeadConfig; got a {type(given).__name__}"):
        HeadModel(given)
    if given is not None:
        model.save_pretrained(tmp_path)
        with pytest.raises(InvalidInputError, match="HeadModel is built from a HeadConfig"):
            HeadModel.from_pretrained(tmp_path, config=given)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, torch.float32),
        ({"dtype": "auto"}, torch.float16),
        ({"dtype": torch.bfloat16}, torch.bfloat16),
        ({"torch_dtype": "bfloat16"}, torch.bfloat16),
        ({"dtype": "torch.float64", "torch_dtype": torch.float64}, torch.float64),
    ],
)
def test_dtype(tmp_path, model, given, expected):
    model.half().save_pretrained(tmp_path)
    loaded = HeadModel.from_pretrained(tmp_path, **given)
    assert loaded.dtype == expected
    assert loaded.steps.dtype == torch.int64
    assert loaded.table.dtype == (torch.float32 if given.get("dtype") == "auto" else expected)
    assert torch.equal(loaded.proj.weight.float(), model.proj.weight.to(expected).float())


@pytest.mark.parametrize(
    "given", [{"dtype": "float33"}, {"dtype": "int8"}, {"dtype": "float16", "torch_dtype": "float32"}]
)
def test_bad_dtype(tmp_path, model, given):
    model.save_pretrained(tmp_path)
    with pytest.raises(InvalidInputError, match="dtype"):
        HeadModel.from_pretrained(tmp_path, **given)


def test_bad_device_is_named_before_anything_is_read():
    with pytest.raises(InvalidInputError, match="warp"):
        HeadModel.from_pretrained("/no/such/folder", device="warp:0")


def test_device_and_number_of_parameters(tmp_path, model):
    model.save_pretrained(tmp_path)
    loaded = HeadModel.from_pretrained(tmp_path, device="cpu")
    assert loaded.device == torch.device("cpu")
    loaded.proj.bias.requires_grad_(False)
    assert (loaded.num_parameters(), loaded.num_parameters(only_trainable=True)) == (10, 8)


def test_float32_weights_are_mapped_from_the_file_not_copied(tmp_path, model):
    model.save_pretrained(tmp_path)
    with torch.no_grad():
        HeadModel.from_pretrained(tmp_path).proj.weight.zero_()
    assert_same_tensors(HeadModel.from_pretrained(tmp_path).state_dict(), model.state_dict())


def test_loading_draws_no_random_initial_values(tmp_path, model):
    model.save_pretrained(tmp_path)
    before = torch.get_rng_state()
    HeadModel.from_pretrained(tmp_path)
    assert torch.equal(torch.get_rng_state(), before)
    HeadModel(HeadConfig())
    assert not torch.equal(torch.get_rng_state(), before)


def test_every_tensor_that_does_not_fit_is_listed(tmp_path, model):
    model.save_pretrained(tmp_path)

    def change(tensors):
        del tensors["steps"]
        tensors["proj.weight"] = torch.zeros(2, 5)
        tensors.update({f"extra{number:02}.weight": torch.zeros(1) for number in range(25)})

    rewrite(tmp_path, change)
    with pytest.raises(CheckpointError) as error:
        HeadModel.from_pretrained(tmp_path)
    message = str(error.value)
    assert str(tmp_path) in message
    assert "does not fit HeadModel" in message
    assert "1 missing: steps" in message
    assert "25 unexpected: extra00.weight" in message
    assert "extra19.weight and 5 more" in message
    assert "1 wrongly shaped: proj.weight is 2x5, the model has 2x4" in message


def test_not_strict_keeps_initial_values_but_not_wrong_shapes(tmp_path, model):
    model.save_pretrained(tmp_path)

    def leave_out(tensors):
        del tensors["proj.bias"]
        tensors["extra"] = torch.zeros(1)

    rewrite(tmp_path, leave_out)
    loaded = HeadModel.from_pretrained(tmp_path, strict=False, dtype="float64")
    assert loaded.proj.bias.dtype == torch.float64
    assert torch.equal(loaded.proj.weight, model.proj.weight.double())
    assert loaded.table.tolist() == [2.5, 2.5]
    rewrite(tmp_path, lambda tensors: tensors.update({"proj.weight": torch.zeros(3, 3)}))
    with pytest.raises(CheckpointError, match="wrongly shaped"):
        HeadModel.from_pretrained(tmp_path, strict=False)


@pytest.mark.parametrize("place", ["body.head", "head"])
def test_the_part_of_a_larger_model(tmp_path, model, place):
    larger = {f"{place}.{name}": tensor for name, tensor in model.state_dict().items()}
    save_file({**larger, "tail.weight": torch.ones(1)}, tmp_path / "model.safetensors")
    config = {"model_type": "large", "head_config": {"width": 4}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert_same_tensors(HeadModel.from_pretrained(tmp_path).state_dict(), model.state_dict())


def test_ignored_tensors(tmp_path, model):
    model.save_pretrained(tmp_path)
    rewrite(tmp_path, lambda tensors: tensors.update({"memory_x": torch.ones(1), "no_object_pointer": torch.ones(1)}))
    assert_same_tensors(HeadModel.from_pretrained(tmp_path).state_dict(), model.state_dict())
    rewrite(tmp_path, lambda tensors: tensors.update({"a_memory_x": torch.ones(1)}))
    with pytest.raises(CheckpointError, match="a_memory_x"):
        HeadModel.from_pretrained(tmp_path)


@pytest.mark.parametrize("kept", ["prompt_encoder.shared_embedding", "shared_image_embedding"])
def test_shared_positional_embedding_is_saved_twice_and_loads_from_either(tmp_path, kept):
    model = TwoEmbeddings(HeadConfig())
    model.save_pretrained(tmp_path)
    assert len(load_file(tmp_path / "model.safetensors")) == 4
    both = {"prompt_encoder.shared_embedding", "shared_image_embedding"}
    rewrite(tmp_path, lambda tensors: tensors.pop(f"{(both - {kept}).pop()}.positional_embedding"))
    assert_same_tensors(TwoEmbeddings.from_pretrained(tmp_path).state_dict(), model.state_dict())


def test_config_of_another_model(tmp_path, model):
    model.save_pretrained(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "bert", "vocab_size": 3}')
    with pytest.raises(CheckpointError, match="bert"):
        HeadModel.from_pretrained(tmp_path)


def test_missing_folder_is_an_os_error(tmp_path):
    with pytest.raises(OSError, match="nowhere"):
        HeadModel.from_pretrained(tmp_path / "nowhere")


class FakeHub:
    uploads: ClassVar[list[dict]] = []

    def __init__(self, token=None):
        self.token = token

    def create_repo(self, repo_id, *, private, exist_ok):
        assert exist_ok
        return SimpleNamespace(repo_id=repo_id if "/" in repo_id else f"me/{repo_id}")

    def upload_folder(self, *, repo_id, folder_path, revision, commit_message):
        model = HeadModel.from_pretrained(folder_path)
        tensors = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        self.uploads.append({"to": repo_id, "tensors": tensors, "token": self.token, "message": commit_message})
        return f"https://hub/{repo_id}/commit/1"


def test_push_to_hub_uploads_the_saved_model(monkeypatch, model):
    monkeypatch.setattr(huggingface_hub, "HfApi", FakeHub)
    monkeypatch.setattr(FakeHub, "uploads", [])
    assert model.push_to_hub("you/head", token="secret") == "https://hub/you/head/commit/1"
    (upload,) = FakeHub.uploads
    assert (upload["to"], upload["token"], upload["message"]) == ("you/head", "secret", "Upload HeadModel")
    assert_same_tensors(upload["tensors"], model.state_dict())


def test_save_pretrained_can_push_too(tmp_path, monkeypatch, model):
    monkeypatch.setattr(huggingface_hub, "HfApi", FakeHub)
    monkeypatch.setattr(FakeHub, "uploads", [])
    model.save_pretrained(tmp_path / "head", push_to_hub=True, commit_message="First")
    model.save_pretrained(tmp_path / "head")
    (upload,) = FakeHub.uploads
    assert (upload["to"], upload["message"]) == ("me/head", "First")


@pytest.mark.parametrize("kind", [torch.int64, torch.bool, torch.complex64])
def test_tensors_of_another_kind_of_number_are_refused(tmp_path, model, kind):
    model.save_pretrained(tmp_path)
    rewrite(tmp_path, lambda tensors: tensors.update({"proj.bias": tensors["proj.bias"].to(kind)}))
    expected = f"1 wrongly typed: proj.bias is {str(kind).removeprefix('torch.')}, the model has float32"
    with pytest.raises(CheckpointError, match=expected):
        HeadModel.from_pretrained(tmp_path)


def test_auto_makes_one_type_of_several(tmp_path, model):
    model.save_pretrained(tmp_path)
    rewrite(tmp_path, lambda tensors: tensors.update({"proj.bias": tensors["proj.bias"].half()}))
    loaded = HeadModel.from_pretrained(tmp_path, dtype="auto")
    assert {each.dtype for each in loaded.parameters()} == {torch.float32}


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory")])
def test_a_network_that_no_memory_holds_is_an_error_of_the_checkpoint(tmp_path, model, monkeypatch, error):
    model.save_pretrained(tmp_path)

    def exhausted(self, config):
        raise error

    monkeypatch.setattr(HeadModel, "__init__", exhausted)
    with pytest.raises(CheckpointError, match="the network of its configuration does not fit into memory"):
        HeadModel.from_pretrained(tmp_path)


def test_saving_as_programs_written_for_accelerate_do(tmp_path, model):
    zeros = {name: torch.zeros_like(tensor) for name, tensor in model.state_dict().items()}
    model.save_pretrained(tmp_path / "other", is_main_process=False, state_dict=zeros)
    assert not (tmp_path / "other").exists()
    model.save_pretrained(tmp_path / "main", is_main_process=True, save_function=torch.save, state_dict=zeros)
    assert_same_tensors(HeadModel.from_pretrained(tmp_path / "main").state_dict(), zeros)
    with pytest.raises(InvalidInputError, match="does not know stat_dict; of an upload it takes repo_id"):
        model.save_pretrained(tmp_path, stat_dict=zeros)
    with pytest.raises(InvalidInputError, match="masklet writes safetensors only"):
        model.save_pretrained(tmp_path, safe_serialization=False)


@pytest.mark.parametrize("dtype", [None, "bfloat16", torch.float16, "auto"])
def test_the_configuration_names_the_type_of_the_weights(saved_model: Path, dtype: Any) -> None:
    model = Sam2Model.from_pretrained(saved_model, dtype=dtype)
    assert f"torch.{model.config.dtype}" == str(model.dtype)
    assert model.config.dtype == {None: "float32", "auto": "float32"}.get(dtype, str(dtype).removeprefix("torch."))
