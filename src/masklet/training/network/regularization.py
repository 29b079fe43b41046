"""Stochastic depth of the backbone and dropout of memory attention."""

from masklet.modeling.hiera import HieraBlock
from masklet.modeling.memory_attention import MemoryAttentionLayer
from masklet.modeling.rotary_attention import RotaryAttention
from masklet.modeling.video_network import VideoNetwork
from masklet.training.settings.learning import Regularization


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
