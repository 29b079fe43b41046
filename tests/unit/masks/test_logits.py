import torch

from masklet.masks.logits import certain_logits, fed_back


def test_certain_masks_as_logits():
    assert certain_logits(torch.tensor([True, False])).tolist() == [10, -10]
    assert certain_logits(torch.tensor([0.5, 1.0])).tolist() == [0, 10]


def test_logits_that_are_fed_back_have_bounds():
    assert fed_back(torch.tensor([-40.0, -3.0, 99.0])).tolist() == [-32, -3, 32]
