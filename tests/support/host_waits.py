"""Counts how often the processor waits for the network's device, without one: tensors of "meta" stand for a GPU's."""

from collections import Counter
from typing import Any, Self
from unittest.mock import patch

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from masklet import transfers

READS_A_NUMBER = {"item", "_local_scalar_dense", "is_nonzero", "equal"}
HAS_A_SHAPE_BY_NUMBERS = {"nonzero", "masked_select", "_unique2"}
COPIES = {"to", "_to_copy"}
FROM_PYTHON = {torch.tensor, torch.as_tensor, torch.asarray}


class HostWaits(TorchDispatchMode):
    """Counts by kind what makes the processor wait; all that is read of the device is zero.

    `counts` may be cleared meanwhile.
    """

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()
        self._from_python = _FromPython(self.counts)
        self._queue = patch.multiple(
            transfers,
            HAVE_QUEUES=("meta",),
            _pinned=lambda tensor: tensor,
            _room_for=lambda tensor: torch.empty(tensor.shape, dtype=tensor.dtype),
            _mark=lambda _: self,
        )

    def synchronize(self) -> None:
        """Wait for a mark in the queue."""
        self._note("mark")

    def __enter__(self) -> Self:
        self._queue.start()
        self._from_python.__enter__()
        super().__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self._from_python.__exit__(*error)
        self._queue.stop()

    def __torch_dispatch__(self, op: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name, kwargs = op.overloadpacket.__name__, kwargs or {}
        tensors = [each for each in tree_leaves((args, kwargs)) if isinstance(each, Tensor)]
        is_masked = name.startswith("index") and any(each.dtype is torch.bool for each in tensors[1:])
        if not any(each.is_meta for each in tensors):
            is_sent = name in COPIES and _device_in(args, kwargs) == torch.device("meta")
            self._note("sent", is_sent and not kwargs.get("non_blocking"))
        elif name in READS_A_NUMBER:
            self._note(name)
            return False if name in ("is_nonzero", "equal") else 0
        elif name in HAS_A_SHAPE_BY_NUMBERS or is_masked:
            self._note(name)
        elif name == "copy_" and args[0].is_meta != args[1].is_meta:
            self._note("copy_", not (args[2:] or kwargs.get("non_blocking")))
            return args[0] if args[0].is_meta else args[0].zero_()
        elif name in COPIES and _device_in(args, kwargs) == torch.device("cpu"):
            self._note("read")
            return torch.zeros(args[0].shape, dtype=kwargs.get("dtype") or args[0].dtype)
        return op(*args, **kwargs)

    def _note(self, kind: str, is_wait: bool = True) -> None:
        if is_wait:
            self.counts[kind] += 1


class _FromPython(TorchFunctionMode):
    """Counts tensors that are made on the device of Python's numbers, of which dispatching sees nothing."""

    def __init__(self, counts: Counter[str]) -> None:
        super().__init__()
        self._counts = counts

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        is_there = torch.device(kwargs.get("device") or "cpu").type == "meta"
        if function in FROM_PYTHON and is_there and not isinstance(args[0], Tensor):
            self._counts["made of Python's numbers"] += 1
        return function(*args, **kwargs)


def _device_in(args: Any, kwargs: Any) -> torch.device | None:
    """The device that a copy is to be made on, if it says so."""
    given = [kwargs.get("device"), *args[1:2]]
    named = (each.device if isinstance(each, Tensor) else each for each in given)
    return next((each for each in named if isinstance(each, torch.device)), None)
