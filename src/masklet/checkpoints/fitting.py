"""Tensors into a module that expects them, or a message that lists every one that does not fit."""

from collections.abc import Iterable, Mapping

import torch
from torch import nn

from masklet.checkpoints.renaming import Tensors
from masklet.errors import CheckpointError

LISTED_AT_MOST = 20


def check_fit(expected: Mapping[str, torch.Tensor], tensors: Tensors, what: str, *, partial: bool = False) -> None:
    """Raise `CheckpointError` naming the missing, unexpected and wrongly shaped tensors (20 of each kind, and a count).

    `what` begins the message ("FILE does not fit MODEL"); `partial` allows missing and unexpected ones.
    """
    wrong = [
        f"{name} is {_shape(tensors[name])}, the model has {_shape(value)}"
        for name, value in expected.items()
        if name in tensors and tensors[name].shape != value.shape
    ]
    complaints = [("wrongly shaped", wrong)]
    if not partial:
        complaints.insert(0, ("missing", [name for name in expected if name not in tensors]))
        complaints.insert(1, ("unexpected", [name for name in tensors if name not in expected]))
    lines = [f"{len(names)} {kind}: {_listed(names)}" for kind, names in complaints if names]
    if lines:
        raise CheckpointError("\n  ".join([f"{what}. Tensors:", *lines]))


def assign_tensors(model: nn.Module, tensors: Tensors, device: torch.device, dtype: torch.dtype | None) -> None:
    """Make `tensors` the parameters and buffers of `model`, without a copy unless device or dtype change.

    `dtype` applies to floating-point tensors; None keeps each as it is. A module with buffers that no checkpoint holds
    has a method `reset_non_persistent_buffers()`, which computes them anew.
    """
    expected = model.state_dict(keep_vars=True)
    fitting = {
        name: tensor.to(device=device, dtype=dtype if tensor.is_floating_point() else None)
        for name, tensor in tensors.items()
        if name in expected
    }
    model.load_state_dict(fitting, strict=False, assign=True)
    with torch.device(device):
        for module in model.modules():
            reset = getattr(module, "reset_non_persistent_buffers", None)
            if reset is not None:
                reset()
    named = [*model.named_parameters(), *model.named_buffers()]
    if without_values := [name for name, tensor in named if tensor.is_meta]:
        raise CheckpointError(
            f"{type(model).__name__} has tensors that no checkpoint fills: {_listed(without_values)}."
        )


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    rest = len(names) - LISTED_AT_MOST
    return ", ".join(names[:LISTED_AT_MOST]) + (f" and {rest} more" if rest > 0 else "")


def _shape(tensor: torch.Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "a single number"
