"""What counts as a whole number where programs hand one over."""

from typing import Any

import numpy as np
import pytest
import torch

from masklet.errors import InvalidInputError
from masklet.whole_numbers import as_whole_number, is_whole_number


@pytest.mark.parametrize("value", [7, np.int64(7), np.uint8(7), np.array(7), torch.tensor(7), torch.tensor([7])])
def test_numbers_of_any_library_are_read(value: Any) -> None:
    assert is_whole_number(value)
    number = as_whole_number(value, "frame", 7, 7)
    assert (number, type(number)) == (7, int)


@pytest.mark.parametrize(
    "value",
    [True, np.True_, 7.0, np.float32(7), "7", None, [7], np.array([7]), torch.tensor(7.0), torch.tensor([7, 7]),
     torch.empty((), dtype=torch.int64, device="meta"), float("nan"), 7j],
)  # fmt: skip
def test_others_are_refused_by_name(value: Any) -> None:
    assert not is_whole_number(value)
    with pytest.raises(InvalidInputError, match="frame must be a whole number; got "):
        as_whole_number(value, "frame")


@pytest.mark.parametrize(
    ("least", "most", "bounds"), [(8, None, "from 8"), (None, 6, "up to 6"), (0, 6, "from 0 up to 6")]
)
def test_bounds_are_kept(least: int | None, most: int | None, bounds: str) -> None:
    with pytest.raises(InvalidInputError, match=f"frame must be a whole number {bounds}; got 7"):
        as_whole_number(7, "frame", least, most)
