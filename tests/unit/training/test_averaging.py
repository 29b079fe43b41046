"""The moving average of the weights."""

import pytest
import torch
from torch import nn

from masklet.training.averaging import AveragedModel


def network(value: float) -> nn.Module:
    module = nn.BatchNorm1d(2)
    for tensor in module.state_dict().values():
        tensor.fill_(value)
    return module


@pytest.mark.parametrize(("step", "decay"), [(0, 0.1), (5, 0.4), (90, 0.9), (10_000, 0.9)])
def test_decay_grows_to_its_limit(step: int, decay: float) -> None:
    average = AveragedModel(network(0), decay=0.9)
    average.follow(network(1), step)
    for name, tensor in average.model.state_dict().items():
        if tensor.is_floating_point():
            torch.testing.assert_close(tensor, torch.full_like(tensor, 1 - decay), msg=name)


def test_the_average_is_a_model_of_its_own_for_evaluation() -> None:
    model = network(3).train()
    average = AveragedModel(model, decay=0.9)
    model.weight.data.fill_(8)
    assert average.model.weight.tolist() == [3, 3]
    assert not average.model.training
    assert not average.model.weight.requires_grad
    assert model.training
    assert model.weight.requires_grad
