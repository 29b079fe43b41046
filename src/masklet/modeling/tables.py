"""Tables that depend only on a shape and on fixed tensors, computed once."""

from collections.abc import Callable, Hashable

import torch
from torch import Tensor


class OnceAShape:
    """Remembers the last result of a function of some shape and of some source tensors.

    The result is computed afresh if a source tensor changes (in place or by replacement), moves or is cast, and always
    while gradients may flow to a source.
    """

    def __init__(self) -> None:
        self._key: Hashable = None
        self._table: Tensor | None = None

    def get(self, compute: Callable[[], Tensor], shape: Hashable, *sources: Tensor) -> Tensor:
        """Return `compute()`, remembered under `shape` and the state of `sources`."""
        flowing = torch.is_grad_enabled() and any(source.requires_grad for source in sources)
        if flowing or torch.compiler.is_compiling() or any(source.is_inference() for source in sources):
            return compute()
        key = (shape, *((s.data_ptr(), s._version, s.dtype, s.device) for s in sources))
        if self._table is None or key != self._key:
            # Outside inference mode, so that a later training step may use the table too.
            with torch.inference_mode(False), torch.no_grad():
                self._table = compute()
            self._key = key
        return self._table
