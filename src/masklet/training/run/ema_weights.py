"""EMA weights: the exponential moving average of a network's weights, which is evaluated and shipped."""

from collections.abc import Mapping

import torch
from torch import Tensor

from masklet.training.run.whole_tensors import local


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
