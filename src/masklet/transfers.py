"""Copies between the processor and the network's device: those to it wait for nothing, those from it wait once.

A GPU works through a queue; every copy that waits for its turn in it leaves the GPU without work afterwards. Copies of
pinned memory do not wait. Devices without such a queue, the processor itself among them, copy as usual.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Protocol

import torch
from torch import Tensor

HAVE_QUEUES = ("cuda",)
READ_AT_ONCE = 2**28  # bytes, which are pinned memory until they are used


class Mark(Protocol):
    """A place in a device's queue."""

    def synchronize(self) -> None:
        """Wait until the device has come there."""


def has_queue(device: torch.device) -> bool:
    """Whether the device copies pinned memory while the processor goes on."""
    return device.type in HAVE_QUEUES


def sent(tensor: Tensor, device: torch.device, dtype: torch.dtype | None = None) -> Tensor:
    """Return a tensor on a device, in its own number type if `dtype` is None; the processor goes on at once."""
    if has_queue(device) and tensor.device.type == "cpu":
        tensor = _pinned(tensor).to(device, non_blocking=True)
    return tensor.to(device, tensor.dtype if dtype is None else dtype)


class Reading:
    """Copies of tensors to the processor, which begin now.

    Example:
        >>> import torch
        >>> from masklet.transfers import Reading
        >>> reading = Reading([torch.ones(2), torch.zeros(1)])
        >>> [len(each) for each in reading.result()]
        [2, 1]
    """

    def __init__(self, tensors: Sequence[Tensor]) -> None:
        self._copies = [_begun(each) for each in tensors]
        self._marks = [_mark(device) for device in {each.device for each in tensors} if has_queue(device)]

    def result(self) -> list[Tensor]:
        """Return the copies, once all are complete; a tensor of the processor is itself."""
        while self._marks:
            self._marks.pop().synchronize()
        return self._copies


def moved(tensors: Sequence[Tensor], device: torch.device) -> list[Tensor]:
    """Return tensors on a device; what comes to the processor is waited for once."""
    return Reading(tensors).result() if device.type == "cpu" else [sent(each, device) for each in tensors]


def wait_for(device: torch.device) -> None:
    """Return once a device has computed all that it was given; on any kind of device, reading a number waits for it."""
    torch.zeros(1, device=device).item()


def fetched(tensors: Iterable[Tensor]) -> Iterator[Tensor]:
    """Return tensors on the processor, in order; those of a device are waited for together, `READ_AT_ONCE` at a time.

    The copies of the first of these begin now, so that a device may be given other work before they are waited for.
    """
    groups = map(Reading, _groups(tensors))
    first = next(groups, None)
    return chain.from_iterable(each.result() for each in chain([] if first is None else [first], groups))


def _groups(tensors: Iterable[Tensor]) -> Iterator[list[Tensor]]:
    group: list[Tensor] = []
    for tensor in tensors:
        group.append(tensor)
        if tensor.device.type == "cpu" or sum(each.nbytes for each in group) >= READ_AT_ONCE:
            yield group
            group = []
    if group:
        yield group


def _begun(tensor: Tensor) -> Tensor:
    return _room_for(tensor).copy_(tensor, non_blocking=True) if has_queue(tensor.device) else tensor.cpu()


def _pinned(tensor: Tensor) -> Tensor:
    """Return a copy in pinned memory: one of a tensor that lies there, too, as its owner may change that meanwhile."""
    return _room_for(tensor).copy_(tensor)


def _room_for(tensor: Tensor) -> Tensor:
    return torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)


def _mark(device: torch.device) -> Mark:
    return torch.cuda.current_stream(device).record_event()
