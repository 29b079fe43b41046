"""How something was loaded is no part of it: no loading argument, a hub token above all, reaches a saved file."""

import inspect
import json
from pathlib import Path
from typing import Any

import pytest
import transformers

import masklet
from masklet.configuration.loading_arguments import LOADING_ARGUMENTS
from masklet.errors import InvalidInputError

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
    loaded = kind.from_pretrained(saved_model, **{name: GIVEN[name]})
    assert loaded == kind.from_pretrained(saved_model)
    loaded.save_pretrained(tmp_path)
    assert SECRET not in written_files(tmp_path)


@pytest.mark.parametrize("name", GIVEN)
@pytest.mark.parametrize("kind", [masklet.Sam2Model, masklet.Sam2VisionModel, *PROCESSORS])
def test_models_and_processors_write_none(kind: Any, name: str, saved_model: Path, tmp_path: Path) -> None:
    try:
        loaded = kind.from_pretrained(saved_model, **{name: GIVEN[name]})
    except InvalidInputError:
        return  # refused, with nothing written
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
    """The name of the source by transformers' keyword among them: dropped, it would load the bundled model."""
    for name in ("num_maskmems", "pretrained_model_name_or_path"):
        with pytest.raises(InvalidInputError, match=f"{kind.__name__}.from_pretrained does not know {name}"):
            kind.from_pretrained(saved_model, **{name: SECRET})


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
