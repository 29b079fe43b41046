"""Tensors into a module that expects them, or a message that lists every one that does not fit."""

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from masklet.checkpoints.renaming import Tensors
from masklet.devices import COMPUTED_IN, name_of
from masklet.errors import CheckpointError

LISTED_AT_MOST = 20


def check_fit(expected: Mapping[str, torch.Tensor], tensors: Tensors, what: str, *, partial: bool = False) -> None:
    """Raise `CheckpointError` naming missing, unexpected, wrongly shaped and wrongly typed tensors (20 of each kind).

    `what` begins the message ("FILE does not fit MODEL"); `partial` allows missing and unexpected ones.
    """
    wrong = [
        f"{name} is {_shape(tensors[name])}, the model has {_shape(value)}"
        for name, value in expected.items()
        if name in tensors and tensors[name].shape != value.shape
    ]
    of_other_type = [
        f"{name} is {tensors[name].dtype}, the model has {value.dtype}".replace("torch.", "")
        for name, value in expected.items()
        if name in tensors and tensors[name].is_floating_point() != value.is_floating_point()
    ]
    complaints = [("wrongly shaped", wrong), ("wrongly typed", of_other_type)]
    if not partial:
        complaints.insert(0, ("missing", [name for name in expected if name not in tensors]))
        complaints.insert(1, ("unexpected", [name for name in tensors if name not in expected]))
    lines = [f"{len(names)} {kind}: {_listed(names)}" for kind, names in complaints if names]
    if lines:
        raise CheckpointError("\n  ".join([f"{what}. Tensors:", *lines]))


Mismatched = set[tuple[str, torch.Size, torch.Size]]
"""Names of tensors, their shapes in a file and in a model."""


def mismatched_tensors(expected: Mapping[str, torch.Tensor], tensors: Tensors) -> Mismatched:
    """Return the tensors of other shapes than expected."""
    common = expected.keys() & tensors.keys()
    return {
        (name, tensors[name].shape, expected[name].shape)
        for name in common
        if tensors[name].shape != expected[name].shape
    }


def loading_info(expected: Mapping[str, torch.Tensor], tensors: Tensors, mismatched: Mismatched) -> dict[str, Any]:
    """Return what of a checkpoint did not fit, under the keys that programs written for transformers read."""
    return {
        "missing_keys": expected.keys() - tensors.keys(),
        "unexpected_keys": tensors.keys() - expected.keys(),
        "mismatched_keys": mismatched,
        "error_msgs": [],
    }


def dtype_of_mixed(tensors: Tensors, what: str) -> torch.dtype | None:
    """Return the floating-point type that holds all numbers of tensors of several; None if all are of one.

    CheckpointError, beginning with `what` (the file), for types that nothing is computed in.
    """
    found = {tensor.dtype for tensor in tensors.values() if tensor.is_floating_point()}
    if foreign := found - set(COMPUTED_IN):
        names = ", ".join(sorted(map(name_of, foreign)))
        raise CheckpointError(f"{what} holds weights in {names}, which nothing is computed in; give dtype='float32'.")
    return reduce(torch.promote_types, found) if len(found) > 1 else None


def assign_tensors(model: nn.Module, tensors: Tensors, device: torch.device, dtype: torch.dtype | None) -> None:
    """Make `tensors` the parameters and buffers of `model`, without a copy unless device or dtype change.

    `dtype` applies to floating-point tensors; None keeps each as it is. Buffers that no checkpoint holds move along.
    """
    expected = model.state_dict()
    fitting = {
        name: tensor.to(device=device, dtype=dtype if tensor.is_floating_point() else None)
        for name, tensor in tensors.items()
        if name in expected
    }
    model.load_state_dict(fitting, strict=False, assign=True)
    model.to(device=device, dtype=dtype)


class WithoutRandomValues(TorchFunctionMode):
    """Modules built in this context leave their random initial values out; everything else is as usual.

    Memory that is never written takes no place, so a model whose tensors are assigned afterwards costs none of its
    own. The meta device would do the same, but loads torch's compiler for it, which takes seconds.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        if func.__name__.endswith(("normal_", "uniform_")):
            return kwargs["tensor"] if kwargs and "tensor" in kwargs else args[0]
        return func(*args, **(kwargs or {}))


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    rest = len(names) - LISTED_AT_MOST
    return ", ".join(names[:LISTED_AT_MOST]) + (f" and {rest} more" if rest > 0 else "")


def _shape(tensor: torch.Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "a single number"
