"""The number type of a file of several."""

import pytest
import torch

from masklet.checkpoints.fitting import dtype_of_mixed
from masklet.errors import CheckpointError


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
