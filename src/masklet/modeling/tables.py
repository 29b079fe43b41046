"""Tables that depend only on a shape and on fixed tensors, computed once."""

from collections.abc import Callable, Hashable

import torch
from torch import Tensor


class OnceAShape:
    """Remembers the last result of a function of some shape and of some source tensors.

    The result is computed afresh if a source tensor changes (in place or by replacement), moves or is cast, and always
    while gradients may flow to a source. A copy of the object (deep or pickled) starts empty: what it would remember is
    of other tensors.
    """

    def __init__(self) -> None:
        self._key: Hashable = None
        self._table: Tensor | None = None
        self._sources: list[Tensor] = []

    def __reduce__(self) -> tuple[type["OnceAShape"], tuple[()]]:
        return OnceAShape, ()

    def get(self, compute: Callable[[], Tensor], shape: Hashable, *sources: Tensor) -> Tensor:
        """Return `compute()`, remembered under `shape` and the state of `sources`."""
        flowing = torch.is_grad_enabled() and any(source.requires_grad for source in sources)
        if flowing or torch.compiler.is_compiling() or any(source.is_inference() for source in sources):
            return compute()
        key = (shape, *((s.data_ptr(), s._version, s.dtype, s.device) for s in sources))
        table = self._table if key == self._key else None
        if table is None:
            # Outside inference mode, so that a later training step may use the table too.
            with torch.inference_mode(False), torch.no_grad():
                table = compute()
            # Holding the sources keeps their memory from becoming that of other tensors, which would look the same.
            self._sources = [source.detach() for source in sources]
            self._key, self._table = key, table
        return table
