"""What a step changes: the weights, by AdamW at rates that differ from part to part, and their moving average (EMA)."""

import math
import re
from collections import defaultdict
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from masklet.modeling.video_network import VideoNetwork
from masklet.training.network.trained_parameters import part_of
from masklet.training.run.devices import local
from masklet.training.settings.recipe import Recipe

BETAS = (0.9, 0.98)
_BLOCK = re.compile(r"vision_encoder\.backbone\.blocks\.(\d+)\.")


def make_optimizer(network: VideoNetwork, recipe: Recipe, *, is_fused: bool = True) -> torch.optim.AdamW:
    """Make AdamW for the parameters that require gradients.

    Each group's `rate_scale` is its rate in multiples of the recipe's; biases and norms, which have one dimension, do
    not decay. Not fused where losses are scaled: the fused kernel would scale back gradients that are clipped before.
    """
    blocks = len(network.vision_encoder.backbone.blocks)
    groups: defaultdict[tuple[float, bool], list[nn.Parameter]] = defaultdict(list)
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            groups[rate_scale(name, recipe, blocks), parameter.ndim > 1].append(parameter)
    described = [
        {"params": parameters, "rate_scale": scale, "weight_decay": recipe.weight_decay if decays else 0.0}
        for (scale, decays), parameters in groups.items()
    ]
    return torch.optim.AdamW(described, lr=recipe.learning_rate, betas=BETAS, fused=is_fused)


def rate_scale(name: str, recipe: Recipe, blocks: int) -> float:
    """Return a parameter's learning rate in multiples of the recipe's.

    Layer decay as in the reference's fine-tuning: the last of `blocks` blocks has one factor of it, the first `blocks`,
    the patch embedding one more; position tables and the neck none.
    """
    if part_of(name) != "image_encoder":
        return 1.0
    rates = recipe.image_encoder
    block = _BLOCK.match(name)
    factors = blocks - int(block[1]) if block else blocks + 1 if ".patch_embed." in name else 0
    own = 1.0 if rates.learning_rate is None else rates.learning_rate / recipe.learning_rate
    return own * rates.layer_decay**factors


def learning_rate(recipe: Recipe, step: int) -> float:
    """Return the rate of a step: linear warm-up, then a cosine from the first to the final rate."""
    if step < recipe.warmup_steps:
        return recipe.learning_rate * (step + 1) / recipe.warmup_steps
    progress = (step - recipe.warmup_steps) / max(recipe.total_steps - recipe.warmup_steps, 1)
    span = recipe.learning_rate - recipe.final_learning_rate
    return recipe.final_learning_rate + span * (1 + math.cos(math.pi * min(progress, 1))) / 2


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set each group's rate to its multiple of `rate`."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["rate_scale"]


class EmaWeights:
    """Exponential moving averages of `tensors`, by name, with `decay` a step (less in the first steps).

    Of sharded tensors (FSDP) each process averages what it holds.
    """

    def __init__(self, tensors: Mapping[str, Tensor], decay: float):
        self.decay = decay
        self.tensors = {name: tensor.detach().clone() for name, tensor in tensors.items()}

    @torch.no_grad()
    def update(self, tensors: Mapping[str, Tensor], step: int) -> None:
        """Update the averages after training step `step` (from 0); integer tensors stay as they are."""
        decay = min(self.decay, (1 + step) / (10 + step))
        names = [name for name, tensor in self.tensors.items() if tensor.is_floating_point()]
        own, others = [local(self.tensors[name]) for name in names], [local(tensors[name]) for name in names]
        torch._foreach_lerp_(own, others, 1 - decay)
