"""Where bfloat16 is worth it; what the hardware says is pretended."""

import pytest
import torch

from masklet.modeling.half_precision import is_bfloat16_faster


@pytest.mark.parametrize("answer", [True, False])
def test_a_processor_is_asked_for_tile_units(monkeypatch: pytest.MonkeyPatch, answer: bool) -> None:
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: answer)
    assert is_bfloat16_faster("cpu") is answer


@pytest.mark.parametrize("answer", [True, False])
def test_a_gpu_must_not_emulate_it(monkeypatch: pytest.MonkeyPatch, answer: bool) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: including_emulation or answer)
    assert is_bfloat16_faster(torch.device("cuda", 1)) is answer


def test_other_devices_keep_single_precision() -> None:
    assert not is_bfloat16_faster("meta")
