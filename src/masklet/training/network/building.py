"""The network that a recipe trains: with initial weights, from a checkpoint or random, and its regularization."""

import hashlib
import os
from collections.abc import Mapping

import torch
from torch import Tensor

from masklet.checkpoints.fitting import WithoutRandomValues, check_fit
from masklet.checkpoints.reading import open_checkpoint
from masklet.configuration import Sam2Config
from masklet.errors import CheckpointError, InvalidInputError
from masklet.modeling.hiera import HieraBlock
from masklet.modeling.image_model import Sam2Model
from masklet.modeling.memory_attention import MemoryAttentionLayer
from masklet.modeling.rotary_attention import RotaryAttention
from masklet.modeling.video_network import VideoNetwork
from masklet.tracking.video_model import Sam2VideoModel
from masklet.training.network.initial_weights import draw_initial_weights, draw_memory_weights
from masklet.training.network.low_rank import add_adapters
from masklet.training.network.trained_parameters import freeze
from masklet.training.settings.learning import Regularization
from masklet.training.settings.overrides import settings
from masklet.training.settings.recipe import Recipe

DIFFERENCES_SHOWN = 5


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


def load_initial_weights(model: VideoNetwork, source: str | os.PathLike[str]) -> bool:
    """Load the weights of a folder, file or hub id, and return whether memory was among them; if not, it stays.

    Raises:
        CheckpointError: for a broken checkpoint.
        InvalidInputError: for one of another shape than the model.
    """
    _, tensors = open_checkpoint(source, Sam2Config)
    has_memory = any(name.startswith("memory_") for name in tensors)
    checkpoint = (VideoNetwork if has_memory else Sam2Model).from_pretrained(source)
    _require_fit(checkpoint, model.config, source)
    model.load_state_dict(checkpoint.state_dict(), strict=has_memory)
    return has_memory


def weights_checksum(source: str | os.PathLike[str] | None) -> str | None:
    """Return the SHA-256 of a checkpoint's tensors, whatever its layout; None if there is no such checkpoint."""
    if source is None:
        return None
    try:
        _, tensors = open_checkpoint(source, Sam2Config)
    except CheckpointError:
        return None
    whole = hashlib.sha256()
    for name in sorted(tensors):
        whole.update(f"{name} {tuple(tensors[name].shape)} {tensors[name].dtype};".encode())
        whole.update(tensors[name].contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return whole.hexdigest()


def _require_fit(checkpoint: Sam2Model | VideoNetwork, config: Sam2Config, source: str | os.PathLike[str]) -> None:
    """Raise `InvalidInputError` naming the settings in which the recipe's network is another than the checkpoint's."""
    with WithoutRandomValues():
        wanted = type(checkpoint)(config).state_dict()
    try:
        check_fit(wanted, checkpoint.state_dict(), f"{source} does not fit")
    except CheckpointError as error:
        own = settings(Sam2Config.from_dict({**checkpoint.config.to_dict(), "image_size": config.image_size}))
        differing = [
            f"model.{name}={text} (checkpoint: {own.get(name)})"
            for name, text in settings(config).items()
            if own.get(name) != text
        ]
        rest = len(differing) - DIFFERENCES_SHOWN
        listed = ", ".join(differing[:DIFFERENCES_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
        raise InvalidInputError(
            f"The checkpoint {source} does not fit the network that is to be trained, which has {listed}. "
            "Give the network the checkpoint's settings (--set), or name another checkpoint (--from)."
        ) from error


def regularize(model: VideoNetwork, regularization: Regularization) -> None:
    """Set the rates of stochastic depth and dropout; weights and configuration stay as they are.

    Stochastic depth grows along the backbone's blocks, from never to `drop_path` (Huang et al. 2016).
    """
    if regularization.drop_path is not None:
        _set_drop_path(model, regularization.drop_path)
    if regularization.memory_dropout is not None:
        _set_memory_dropout(model, regularization.memory_dropout)


def _set_drop_path(model: VideoNetwork, rate: float) -> None:
    blocks = [block for block in model.vision_encoder.backbone.blocks if isinstance(block, HieraBlock)]
    for number, block in enumerate(blocks):
        block.drop_path.rate = rate * number / max(len(blocks) - 1, 1)


def _set_memory_dropout(model: VideoNetwork, rate: float) -> None:
    for layer in model.memory_attention.modules():
        if isinstance(layer, MemoryAttentionLayer):
            layer.dropout.p = rate
        elif isinstance(layer, RotaryAttention):
            layer.dropout = rate
