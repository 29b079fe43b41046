"""EMA weights."""

import pytest
import torch
from torch import nn

from masklet.training.run.optimizer import EmaWeights


def network(value: float) -> nn.Module:
    module = nn.BatchNorm1d(2)
    for tensor in module.state_dict().values():
        tensor.fill_(value)
    return module


@pytest.mark.parametrize(("step", "decay"), [(0, 0.1), (5, 0.4), (90, 0.9), (10_000, 0.9)])
def test_decay_grows_to_its_limit(step: int, decay: float) -> None:
    ema = EmaWeights(network(0).state_dict(), decay=0.9)
    ema.update(network(1).state_dict(), step)
    for name, tensor in ema.tensors.items():
        wanted = 1 - decay if tensor.is_floating_point() else 0
        torch.testing.assert_close(tensor, torch.full_like(tensor, wanted), msg=name)


def test_ema_weights_have_tensors_of_its_own() -> None:
    model = network(3)
    ema = EmaWeights(model.state_dict(), decay=0.9)
    model.weight.data.fill_(8)
    assert ema.tensors["weight"].tolist() == [3, 3]
    assert not ema.tensors["weight"].requires_grad
