import pytest
import torch

from masklet.errors import InvalidInputError
from masklet.masks.logits import certain_logits, check_logits, fed_back


def test_certain_masks_as_logits():
    assert certain_logits(torch.tensor([True, False])).tolist() == [10, -10]
    assert certain_logits(torch.tensor([0.5, 1.0])).tolist() == [0, 10]


def test_logits_that_are_fed_back_have_bounds():
    assert fed_back(torch.tensor([-40.0, -3.0, 99.0])).tolist() == [-32, -3, 32]


@pytest.mark.parametrize("value", [1e20, -1e6, 60_001.0])
def test_logits_beyond_half_precision_are_refused(value):
    with pytest.raises(InvalidInputError, match=rf"from -60000 to 60000; got {value:g}".replace("+", r"\+")):
        check_logits(torch.tensor([[0.0, value], [3.0, -value / 2]]))
    check_logits(torch.tensor([[60_000.0, -60_000.0]], dtype=torch.float16))
