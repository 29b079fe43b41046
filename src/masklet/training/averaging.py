"""An exponential moving average of a model's weights: what is evaluated and shipped."""

import copy
from typing import Generic, TypeVar

import torch
from torch import nn

Model = TypeVar("Model", bound=nn.Module)


class AveragedModel(Generic[Model]):
    """Keeps a copy of `model` whose floating-point tensors follow it by `decay` a step (faster in the first steps)."""

    def __init__(self, model: Model, decay: float):
        self.decay = decay
        self.model = copy.deepcopy(model).eval().requires_grad_(False)

    @torch.no_grad()
    def follow(self, model: nn.Module, step: int) -> None:
        """Move a little toward `model` after training step `step` (from 0)."""
        decay = min(self.decay, (1 + step) / (10 + step))
        own = [t for t in self.model.state_dict().values() if t.is_floating_point()]
        others = [t for t in model.state_dict().values() if t.is_floating_point()]
        torch._foreach_lerp_(own, others, 1 - decay)
