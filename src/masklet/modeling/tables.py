"""Tables that depend only on a shape and on fixed tensors, computed once."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass

import torch
from torch import Tensor

from masklet.modeling.recording import is_recorded


@dataclass(frozen=True)
class _Remembered:
    """A table, and what it was computed from."""

    shape: Hashable
    sources: tuple[Tensor, ...]
    table: Tensor

    def is_of(self, shape: Hashable, sources: tuple[Tensor, ...]) -> bool:
        same_kind = all(now.dtype == then.dtype for now, then in zip(sources, self.sources, strict=True))
        return same_kind and shape == self.shape and all(map(torch.equal, sources, self.sources))


class OnceAShape:
    """Remembers the last result of a function of some shape and of some small source tensors.

    The result is computed afresh if the sources' values or dtype are others than last time, and always while gradients
    may flow to a source or the network is compiled, exported or traced. Values are compared, not torch's version
    counters: fused optimizers change parameters without counting. Off the processor comparing would wait for the
    device, so there a table with sources is computed each time. A copy of the object (deep or pickled) starts empty.
    """

    def __init__(self) -> None:
        self._remembered: _Remembered | None = None

    def __reduce__(self) -> tuple[type["OnceAShape"], tuple[()]]:
        return OnceAShape, ()

    def get(self, compute: Callable[[], Tensor], shape: Hashable, *sources: Tensor) -> Tensor:
        """Return `compute()`, remembered under `shape` and the values of `sources`."""
        flowing = torch.is_grad_enabled() and any(source.requires_grad for source in sources)
        if flowing or is_recorded() or any(source.device.type != "cpu" for source in sources):
            return compute()
        remembered = self._remembered
        if remembered is None or not remembered.is_of(shape, sources):
            # Outside inference mode, so that a later training step may use the table too.
            with torch.inference_mode(False), torch.no_grad():
                remembered = _Remembered(shape, tuple(source.clone() for source in sources), compute())
            self._remembered = remembered
        return remembered.table
