"""What is left out while the network learns, and that nothing is when it does not."""

import copy

import pytest
import torch
from tests.support.small_models import randomised
from tests.support.small_recipes import small_video_config
from torch import Tensor

from masklet.errors import InvalidInputError
from masklet.modeling.object_memory import stacked_memory
from masklet.modeling.video_network import VideoNetwork
from masklet.training.network.building import regularize
from masklet.training.settings.learning import Regularization


def network() -> VideoNetwork:
    torch.manual_seed(0)
    model: VideoNetwork = randomised(VideoNetwork(small_video_config()))
    model.resize(64)
    return model


def remembered(model: VideoNetwork) -> Tensor:
    """A frame conditioned on one memory, always the same."""
    generator = torch.Generator().manual_seed(0)
    features, memory, pointer = (
        torch.randn(shape, generator=generator) for shape in ((1, 64, 4, 4), (1, 16, 32), (1, 64))
    )
    with torch.no_grad():
        return model.condition(features, stacked_memory(model.config, [memory], [0], [pointer], [1], pointer_span=16))


def test_blocks_are_left_out_the_more_the_deeper_they_are() -> None:
    model = network()
    regularize(model, Regularization(drop_path=0.7))
    rates = [block.drop_path.rate for block in model.vision_encoder.backbone.blocks]
    assert rates == pytest.approx([0.1 * number for number in range(8)])


def test_memory_attention_drops_values_and_weights_in_training_only() -> None:
    model = network()
    before = remembered(model)
    torch.testing.assert_close(remembered(model.train()), before)  # the small model has no dropout of its own
    regularize(model, Regularization(memory_dropout=0.5))
    assert not torch.equal(remembered(model), remembered(model))
    assert torch.equal(remembered(model.eval()), before)
    layer = model.memory_attention.layers[0]
    assert layer.dropout.p == layer.self_attn.dropout == layer.cross_attn_image.dropout == 0.5


def test_weights_and_configuration_stay_and_none_means_as_it_was() -> None:
    model = network()
    regularize(model, Regularization(drop_path=0.3, memory_dropout=0.2))
    weights, config = copy.deepcopy(model.state_dict()), model.config.to_dict()
    regularize(model, Regularization())
    assert model.memory_attention.layers[0].dropout.p == 0.2
    assert model.vision_encoder.backbone.blocks[-1].drop_path.rate == pytest.approx(0.3)
    assert model.config.to_dict() == config == network().config.to_dict()
    assert all(torch.equal(tensor, weights[name]) for name, tensor in model.state_dict().items())


@pytest.mark.parametrize("rates", [{"drop_path": 1.0}, {"memory_dropout": -0.1}])
def test_impossible_rates_are_refused(rates: dict[str, float]) -> None:
    with pytest.raises(InvalidInputError, match=next(iter(rates))):
        Regularization(**rates)
