"""Whether the network runs to be recorded as a graph that will run again."""

import torch


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
