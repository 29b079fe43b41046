"""Whether calling a part of the network does what its class says, and nothing else, and runs once or is recorded.

Fast paths compute with the weights of a layer, or call it for some of the tokens at a time. A program may have put
another layer in its place (an adapter, a quantised one), hooked it or compiled it: such a layer has to be called, once,
with everything. Who asks here takes the fast path only where nobody can tell the difference. Likewise a network that
runs to be recorded as a graph, which will run again at other sizes, takes no branch that depends on one.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as modules_of_torch

OWN_FORWARDS = ("torch.nn.modules.", "masklet.")


def is_plain(part: nn.Module, kind: type[nn.Module]) -> bool:
    """Whether a call of `part` is `kind.forward` with the weights that `part` shows, which are ordinary tensors."""
    is_called_plainly = _forward(part) is kind.forward and _is_called_plainly(part)
    # Quantised and sharded weights are tensors around others, for which few operations exist.
    return is_called_plainly and not any(hasattr(each, "__tensor_flatten__") for each in part._parameters.values())


def is_plain_inside(*parts: nn.Module | None) -> bool:
    """Whether `parts` and all that they are made of are layers of torch or masklet, and called as they are."""
    return all(
        part is None
        or (
            getattr(_forward(part), "__module__", "").startswith(OWN_FORWARDS)
            and _is_called_plainly(part)
            and is_plain_inside(*part._modules.values())
        )
        for part in parts
    )


def _forward(part: nn.Module) -> Callable[..., Any] | None:
    return getattr(type(part), "forward", None)  # scripted modules have none


def _is_called_plainly(part: nn.Module) -> bool:
    is_hooked = part._forward_hooks or part._forward_pre_hooks or part._backward_hooks or part._backward_pre_hooks
    is_replaced = "forward" in part.__dict__ or part._compiled_call_impl is not None
    return not (is_hooked or is_replaced or modules_of_torch._has_any_global_hook())


def in_dtype_of(part: nn.Module, x: Tensor) -> Tensor:
    """Return `x` in the floating-point type of a part's weights; as it is if it has none, as a quantised layer."""
    dtypes = (weight.dtype for weight in part.parameters() if weight.is_floating_point())
    return x.to(next(dtypes, x.dtype))


def is_recorded() -> bool:
    """Whether the network is compiled, exported or traced: nothing may be remembered, nothing cut into pieces."""
    return torch.compiler.is_compiling() or _is_traced()


def is_recorded_once() -> bool:
    """Whether the only graph is made that there will be: sizes of this call must decide nothing.

    `torch.compile` makes another one where sizes differ; `torch.jit.trace` and `torch.export` do not.
    """
    is_exporting = getattr(torch.compiler, "is_exporting", torch.compiler.is_compiling)  # torch 2.7 and later
    return _is_traced() or is_exporting()


def _is_traced() -> bool:
    return torch.jit.is_tracing()  # type: ignore[attr-defined,no-untyped-call]
