"""Devices and number types: what can be computed with, and nothing else; what the hardware says is pretended."""

import os
import platform
import subprocess
import sys
from typing import Any

import pytest
import torch

from masklet.devices import SETTINGS_OF_USERS, as_device, as_dtype, is_bfloat16_faster, usable_device
from masklet.errors import InvalidInputError


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((None, None), torch.float32),
        (("bfloat16", None), torch.bfloat16),
        ((torch.float16, "float16"), torch.float16),
        ((None, "torch.float64"), torch.float64),
        (("auto", None), None),
    ],
)
def test_types_by_their_names(given: tuple[Any, Any], expected: torch.dtype | None) -> None:
    assert as_dtype(*given) is expected


@pytest.mark.parametrize(
    "name",
    [*(name for name in dir(torch) if name.startswith(("float8", "float4", "complex"))), "int8", "", "nn", "x" * 999],
)
def test_types_that_nothing_is_computed_in_are_refused(name: str) -> None:
    with pytest.raises(InvalidInputError, match=r"^dtype='.*; the network computes in float32, bfloat16, ") as caught:
        as_dtype(name)
    assert len(str(caught.value)) < 250


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("value", [7, [[]], {}, nested(5_000)], ids=["number", "list", "object", "deep list"])
def test_what_names_no_type_is_refused(value: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"the network computes in"):
        as_dtype(value)


def test_two_types_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="two spellings of one argument"):
        as_dtype("float16", torch.float32)


@pytest.mark.parametrize(
    "device", ["toaster", "", "meta", "cuda:99", "cpu:x", "hpu", "vulkan", "x" * 999, -1, [1], 1.5]
)
def test_devices_that_compute_nothing_here_are_refused(device: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"^The device .* cannot be used here \(.*\); try 'cpu'\.$") as caught:
        as_device(device)
    assert len(str(caught.value)) < 400


def test_the_cpu_by_every_name() -> None:
    assert {as_device(None), as_device("cpu"), as_device(torch.device("cpu"))} == {torch.device("cpu")}


@pytest.mark.parametrize(("has_gpu", "expected"), [(True, "cuda"), (False, "cpu")])
def test_the_device_that_nobody_asked_for(monkeypatch: pytest.MonkeyPatch, has_gpu: bool, expected: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: has_gpu)
    assert usable_device(None) == expected
    assert usable_device("cpu") == "cpu"


@pytest.mark.parametrize("has_tile_units", [True, False])
@pytest.mark.parametrize("has_dot_products", [True, False])
def test_a_processor_is_asked_what_it_multiplies(
    monkeypatch: pytest.MonkeyPatch, has_tile_units: bool, has_dot_products: bool
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: has_tile_units)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: has_dot_products)
    assert is_bfloat16_faster("cpu") is (has_tile_units or has_dot_products)


@pytest.mark.parametrize("answer", [True, False])
def test_a_gpu_must_not_emulate_it(monkeypatch: pytest.MonkeyPatch, answer: bool) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: including_emulation or answer)
    assert is_bfloat16_faster(torch.device("cuda", 1)) is answer


def test_other_devices_keep_single_precision() -> None:
    assert not is_bfloat16_faster("meta")


COUNTS_NEW_PAGES = """
import ctypes, resource, sys, torch
from masklet import ImageSegmenter
if sys.argv[1:]:
    ImageSegmenter.from_pretrained(device="cpu")
ctypes.CDLL(None).prctl(41, 1, 0, 0, 0)  # PR_SET_THP_DISABLE: all pages are of one size
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for size in range(2**19, 2**22, 2**16):  # each larger than all before, so that nothing that was freed holds it as it is
    torch.zeros(size) + 1
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a setting of the GNU C library")
def test_opening_a_model_lets_the_process_keep_what_it_frees():
    def new_pages(*arguments: str, **variables: str) -> int:
        command = [sys.executable, "-c", COUNTS_NEW_PAGES, *arguments]
        plain = {name: value for name, value in os.environ.items() if name not in SETTINGS_OF_USERS}
        ended = subprocess.run(command, capture_output=True, text=True, check=True, env=plain | variables, timeout=120)
        return int(ended.stdout)

    without = new_pages()
    assert without > 100_000  # of 4 KiB: all of 56 tensors of 2 to 16 MiB
    assert new_pages("opened") < without / 4
    assert new_pages("opened", MALLOC_TRIM_THRESHOLD_="1000") > without / 2  # the user's own setting stays
