"""Where weights go, and in which numbers: what can be computed with, and nothing else."""

from typing import Any

import pytest
import torch

from masklet.checkpoints.placement import as_device, as_dtype, dtype_of_mixed
from masklet.errors import CheckpointError, InvalidInputError


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


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        ([torch.float16, torch.int64], None),
        ([torch.float16, torch.bfloat16], torch.float32),
        ([torch.float64, torch.float16], torch.float64),
        ([], None),
    ],
)
def test_the_type_of_a_mixed_file_holds_all_of_its_numbers(
    types: list[torch.dtype], expected: torch.dtype | None
) -> None:
    assert dtype_of_mixed({str(each): torch.zeros(1, dtype=each) for each in types}, "file") is expected


def test_weights_in_a_type_for_storage_only_need_another_to_compute_in() -> None:
    with pytest.raises(CheckpointError, match=r"^file holds weights in float8_e5m2, .* give dtype='float32'"):
        dtype_of_mixed({"a": torch.zeros(1, dtype=torch.float8_e5m2), "b": torch.zeros(1)}, "file")
