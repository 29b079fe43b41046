"""The network that a recipe trains, as it begins and as files know it."""

from collections.abc import Mapping

from torch import Tensor

from masklet.checkpoints.fitting import WithoutRandomValues
from masklet.configuration import Sam2Config
from masklet.tracking.video_model import Sam2VideoModel
from masklet.training.network.initial_checkpoint import load_initial_weights
from masklet.training.network.initial_memory import draw_memory_weights
from masklet.training.network.initial_weights import draw_initial_weights
from masklet.training.network.low_rank import add_adapters
from masklet.training.network.parts import freeze
from masklet.training.procedure.regularization import regularize
from masklet.training.settings.recipe import Recipe


def initial_network(recipe: Recipe, image_size: int) -> Sam2VideoModel:
    """With the weights that training starts from: the recipe's checkpoint, or values drawn from torch's generator."""
    network = _plain_network(recipe, image_size)
    draw_initial_weights(network)
    if not recipe.initial_weights or not load_initial_weights(network, recipe.initial_weights):
        draw_memory_weights(network)
    return _made_trainable(network, recipe)


def network_with(tensors: Mapping[str, Tensor], recipe: Recipe, image_size: int) -> Sam2VideoModel:
    """With the tensors of a network that was trained by the recipe, adapters and all; on the processor."""
    network = untrained_network(recipe, image_size)
    network.load_state_dict(tensors)
    return network


def untrained_network(recipe: Recipe, image_size: int) -> Sam2VideoModel:
    """Made to be trained by the recipe, adapters and all, with weights that are nothing yet."""
    with WithoutRandomValues():
        return _made_trainable(_plain_network(recipe, image_size), recipe)


def _plain_network(recipe: Recipe, image_size: int) -> Sam2VideoModel:
    return Sam2VideoModel(Sam2Config.from_dict({**recipe.model.to_dict(), "image_size": image_size}))


def _made_trainable(network: Sam2VideoModel, recipe: Recipe) -> Sam2VideoModel:
    regularize(network, recipe.regularization)
    if recipe.hardware.checkpoints_gradients:
        network.gradient_checkpointing_enable()
    add_adapters(network, recipe.lora)
    freeze(network, recipe.frozen)
    return network
