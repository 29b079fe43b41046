"""Arguments that programs written for transformers give."""

import pytest
import torch

from masklet.checkpoints.model_conveniences import in_own_terms
from masklet.errors import InvalidInputError


def test_choices_without_effect_are_dropped_and_others_kept() -> None:
    given = {"attn_implementation": "sdpa", "use_safetensors": True, "image_size": 512}
    assert in_own_terms("cpu", given) == ("cpu", {"image_size": 512})


@pytest.mark.parametrize("device_map", ["cuda:1", {"": "cuda:1"}])
def test_a_device_map_names_one_device(device_map: object) -> None:
    assert in_own_terms(None, {"device_map": device_map}) == ("cuda:1", {})


def test_auto_is_the_gpu_if_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for is_there, device in ((True, "cuda"), (False, "cpu")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda is_there=is_there: is_there)
        assert in_own_terms(None, {"device_map": "auto"}) == (device, {})


def test_parts_on_several_devices_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="the whole model goes to one device"):
        in_own_terms(None, {"device_map": {"vision_encoder": "cuda:0", "mask_decoder": "cuda:1"}})


def test_two_devices_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="device=cpu and device_map=cuda mean the same"):
        in_own_terms("cpu", {"device_map": "cuda"})


@pytest.mark.parametrize("name", ["quantization_config", "load_in_8bit", "max_memory", "tp_plan", "gguf_file"])
def test_what_means_nothing_here_may_be_none_or_false(name: str) -> None:
    for value in (None, False):
        assert in_own_terms("cpu", {name: value}) == ("cpu", {})
    with pytest.raises(InvalidInputError, match=f"{name} has no meaning for masklet's models; leave it out"):
        in_own_terms("cpu", {name: "x"})
