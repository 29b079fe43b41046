"""How something was loaded is no part of it: no loading argument, a hub token above all, reaches a saved file."""

import inspect
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

import masklet
from masklet.configuration.loading_arguments import LOADING_ARGUMENTS
from masklet.errors import CheckpointError, InvalidInputError

SECRET = "hf_secret"
CONFIGURATIONS = (masklet.Sam2Config, masklet.Sam2VisionConfig, masklet.Sam2HieraDetConfig)
PROCESSORS = (masklet.Sam2Processor, masklet.Sam2ImageProcessorFast, masklet.Sam2VideoProcessor)
# "subfolder" and "revision" say what is read; here they have to name something that is there.
GIVEN = dict.fromkeys(sorted(LOADING_ARGUMENTS), SECRET) | {"subfolder": "", "revision": "main"}


def written_files(folder: Path) -> str:
    return "".join(path.read_bytes().decode("latin-1") for path in sorted(folder.rglob("*.json")))


@pytest.mark.parametrize("name", GIVEN)
@pytest.mark.parametrize("kind", CONFIGURATIONS)
def test_configurations_drop_them(kind: Any, name: str, saved_model: Path, tmp_path: Path) -> None:
    if name in ("proxies", "pretrained_model_name_or_path"):
        with pytest.raises(InvalidInputError):
            kind.from_pretrained(saved_model, **{name: GIVEN[name]})
        return
    loaded = kind.from_pretrained(saved_model, **{name: GIVEN[name]})
    if name == "return_unused_kwargs":
        loaded, _ = loaded
    assert loaded == kind.from_pretrained(saved_model)
    loaded.save_pretrained(tmp_path)
    assert SECRET not in written_files(tmp_path)


@pytest.mark.parametrize("name", GIVEN)
@pytest.mark.parametrize("kind", [masklet.Sam2Model, masklet.Sam2VisionModel, *PROCESSORS])
def test_models_and_processors_write_none(kind: Any, name: str, saved_model: Path, tmp_path: Path) -> None:
    try:
        loaded = kind.from_pretrained(saved_model, **{name: GIVEN[name]})
    except (InvalidInputError, CheckpointError):
        return  # refused, with nothing written
    if isinstance(loaded, tuple):
        loaded, _ = loaded
    loaded.save_pretrained(tmp_path)
    assert SECRET not in written_files(tmp_path)


@pytest.mark.parametrize("name", ["token", "use_auth_token", "cache_dir"])
@pytest.mark.parametrize("kind", [*CONFIGURATIONS, *PROCESSORS])
def test_a_constructor_keeps_none(kind: Any, name: str, tmp_path: Path) -> None:
    kind(**{name: SECRET}).save_pretrained(tmp_path)
    assert SECRET not in written_files(tmp_path)


def test_a_token_that_an_earlier_version_wrote_ends_here(saved_model: Path, tmp_path: Path) -> None:
    values = json.loads((saved_model / "config.json").read_text())
    leaked = {**values, "token": SECRET, "mask_decoder_config": {**values["mask_decoder_config"], "token": SECRET}}
    (tmp_path / "config.json").write_text(json.dumps(leaked))
    masklet.Sam2Config.from_pretrained(tmp_path).save_pretrained(tmp_path)
    assert SECRET not in written_files(tmp_path)


@pytest.mark.parametrize("kind", CONFIGURATIONS)
def test_an_unknown_keyword_of_a_configuration_is_refused(kind: Any, saved_model: Path) -> None:
    with pytest.raises(InvalidInputError, match=f"{kind.__name__}.from_pretrained does not know num_maskmems"):
        kind.from_pretrained(saved_model, num_maskmems=1)
    options = {"return_unused_kwargs": True, "num_maskmems": 1, "initializer_range": 0.5}
    loaded, unused = kind.from_pretrained(saved_model, **options)
    assert (loaded.initializer_range, unused) == (0.5, {"num_maskmems": 1})


@pytest.mark.parametrize("kind", [*CONFIGURATIONS, masklet.Sam2Model, *PROCESSORS])
def test_the_source_by_the_name_that_transformers_gives_it(kind: Any, saved_model: Path) -> None:
    loaded = kind.from_pretrained(pretrained_model_name_or_path=saved_model)
    expected = kind.from_pretrained(saved_model)
    assert getattr(loaded, "config", loaded).to_dict() == getattr(expected, "config", expected).to_dict()
    with pytest.raises(InvalidInputError, match="given twice"):
        kind.from_pretrained(saved_model, pretrained_model_name_or_path=saved_model)


HABITUAL = {
    "token": None,
    "cache_dir": "/big/disk",
    "local_files_only": True,
    "force_download": False,
    "revision": "main",
    "proxies": None,
    "variant": None,
    "use_safetensors": True,
    "low_cpu_mem_usage": True,
    "trust_remote_code": False,
    "attn_implementation": "sdpa",
    "device_map": "cpu",
    "max_memory": None,
    "offload_folder": "/tmp",
    "quantization_config": None,
    "torch_dtype": torch.float32,
    "ignore_mismatched_sizes": False,
    "state_dict": None,
    "weights_only": True,
    "_from_auto": True,
}


@pytest.mark.parametrize("name", HABITUAL)
def test_what_scripts_give_habitually_is_accepted(name: str, saved_model: Path) -> None:
    loaded = masklet.Sam2Model.from_pretrained(saved_model, **{name: HABITUAL[name]})
    assert loaded.dtype == torch.float32
    if name not in ("torch_dtype", "device_map"):
        masklet.Sam2Processor.from_pretrained(saved_model, **{name: HABITUAL[name]})


def test_tensors_given_in_place_of_the_files(saved_model: Path) -> None:
    model = masklet.Sam2Model.from_pretrained(saved_model)
    state = {name: tensor + 1 for name, tensor in model.state_dict().items()}
    for source, config in ((saved_model, None), (None, model.config)):
        loaded = masklet.Sam2Model.from_pretrained(source, config=config, state_dict=state)
        assert torch.equal(loaded.no_memory_embedding, state["no_memory_embedding"])


def test_what_did_not_fit_is_returned_on_request(saved_model: Path) -> None:
    whole = masklet.Sam2Model.from_pretrained(saved_model)
    state = dict(whole.state_dict())
    head = "mask_decoder.iou_token.weight"
    state[head] = torch.zeros(2, 64)
    options = {"config": whole.config, "state_dict": state, "output_loading_info": True}
    with pytest.raises(CheckpointError, match=f"1 wrongly shaped: {head}"):
        masklet.Sam2Model.from_pretrained(**options)
    loaded, info = masklet.Sam2Model.from_pretrained(**options, ignore_mismatched_sizes=True)
    assert info["mismatched_keys"] == {(head, torch.Size([2, 64]), torch.Size([1, 64]))}
    assert info["missing_keys"] == info["unexpected_keys"] == set()
    assert loaded.mask_decoder.iou_token.weight.any()  # a random initial value
    assert torch.equal(loaded.no_memory_embedding, whole.no_memory_embedding)
    del state[head]
    _, info = masklet.Sam2Model.from_pretrained(**options, strict=False)
    assert info["missing_keys"] == {head}


def test_weights_of_a_variant(saved_model: Path, tmp_path: Path) -> None:
    shutil.copytree(saved_model, tmp_path, dirs_exist_ok=True)
    (tmp_path / "model.safetensors").rename(tmp_path / "model.fp16.safetensors")
    loaded = masklet.Sam2Model.from_pretrained(tmp_path, variant="fp16")
    assert torch.equal(loaded.no_memory_embedding, masklet.Sam2Model.from_pretrained(saved_model).no_memory_embedding)
    with pytest.raises(CheckpointError, match=r"no weights of the variant 'bf16'; looked for model\.bf16\.safetensors"):
        masklet.Sam2Model.from_pretrained(tmp_path, variant="bf16")


@pytest.mark.parametrize("name", ["subfolder", "revision"])
@pytest.mark.parametrize("kind", [masklet.Sam2Config, masklet.Sam2Model, masklet.Sam2Processor])
def test_a_place_that_is_no_name_is_refused(kind: Any, name: str, saved_model: Path) -> None:
    with pytest.raises(InvalidInputError, match=rf"^{name} must be a name; got \[1\]"):
        kind.from_pretrained(saved_model, **{name: [1]})


def test_keys_of_the_file_and_labels_may_be_replaced(saved_model: Path, tmp_path: Path) -> None:
    values = json.loads((saved_model / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**values, "made_by": "a"}))
    loaded = masklet.Sam2Config.from_pretrained(tmp_path, made_by="b", id2label={0: "leaf"})
    assert (loaded.made_by, loaded.num_labels) == ("b", 1)


@pytest.mark.parametrize(
    "reference", [transformers.PreTrainedModel, transformers.PreTrainedConfig, transformers.ProcessorMixin]
)
def test_the_installed_reference_has_no_other_named_ones(reference: Any) -> None:
    named = {
        parameter.name
        for parameter in inspect.signature(reference.from_pretrained).parameters.values()
        if parameter.kind is parameter.KEYWORD_ONLY or parameter.default is not parameter.empty
    }
    assert named - LOADING_ARGUMENTS == set()
