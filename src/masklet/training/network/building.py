"""The network that a recipe trains: with initial weights, and with those of a file."""

from collections.abc import Mapping

from torch import Tensor

from masklet.checkpoints.fitting import WithoutRandomValues
from masklet.configuration import Sam2Config
from masklet.errors import InvalidInputError
from masklet.tracking.video_model import Sam2VideoModel
from masklet.training.network.initial_checkpoint import load_initial_weights
from masklet.training.network.initial_memory_weights import draw_memory_weights
from masklet.training.network.initial_weights import draw_initial_weights
from masklet.training.network.low_rank import add_adapters
from masklet.training.network.regularization import regularize
from masklet.training.network.trained_parameters import freeze
from masklet.training.settings.recipe import Recipe


def initial_network(recipe: Recipe, image_size: int) -> Sam2VideoModel:
    """Make the network with its initial weights: the recipe's checkpoint, or random ones of torch's generator.

    Raises:
        InvalidInputError: for settings that make no network, or none that the checkpoint fits.
        CheckpointError: for a checkpoint that is missing or broken.
    """
    network = _plain_network(recipe, image_size)
    draw_initial_weights(network)
    if not recipe.initial_weights or not load_initial_weights(network, recipe.initial_weights):
        draw_memory_weights(network)
    return _made_trainable(network, recipe)


def network_with(tensors: Mapping[str, Tensor], recipe: Recipe, image_size: int) -> Sam2VideoModel:
    """Make the network with the tensors of one that was trained by the recipe, adapters and all; on the processor."""
    network = untrained_network(recipe, image_size)
    network.load_state_dict(tensors)
    return network


def untrained_network(recipe: Recipe, image_size: int) -> Sam2VideoModel:
    """Make the network as the recipe trains it, adapters and all, with weights that are not set yet."""
    with WithoutRandomValues():
        return _made_trainable(_plain_network(recipe, image_size), recipe)


def _plain_network(recipe: Recipe, image_size: int) -> Sam2VideoModel:
    config = Sam2Config.from_dict({**recipe.model.to_dict(), "image_size": image_size})
    try:
        return Sam2VideoModel(config)
    except InvalidInputError:
        raise
    except Exception as error:  # torch has an error of its own for every number that makes no layer
        raise InvalidInputError(f"There is no network with these settings (model.*): {error}") from error


def _made_trainable(network: Sam2VideoModel, recipe: Recipe) -> Sam2VideoModel:
    regularize(network, recipe.regularization)
    if recipe.hardware.gradient_checkpointing:
        network.gradient_checkpointing_enable()
    add_adapters(network, recipe.lora)
    freeze(network, recipe.frozen)
    return network
