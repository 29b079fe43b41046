"""Work done piece by piece, so that what lies between input and output stays in the processor's cache."""

from collections.abc import Callable

import torch
from torch import Tensor

# Numbers of the widest intermediate tensor that are computed together: 2 MiB in float32, about one core's cache.
NUMBERS_PER_PIECE = 2**19


def pays_in_pieces(device: torch.device) -> bool:
    """Whether work in pieces is quicker here: on a processor, without gradients and outside compiled graphs."""
    return device.type == "cpu" and not torch.is_grad_enabled() and not torch.compiler.is_compiling()


def pieces(count: int, widest: int, device: torch.device) -> list[slice]:
    """Cut `count` entries, whose largest intermediate tensor has `widest` numbers each, into pieces that fit the cache.

    With gradients, which need all of it anyway, on an accelerator and in compiled graphs there is one piece.
    """
    if not pays_in_pieces(device):
        return [slice(0, count)]
    size = max(NUMBERS_PER_PIECE // widest, 1)
    return [slice(start, min(start + size, count)) for start in range(0, max(count, 1), size)]


def in_pieces(function: Callable[[Tensor], Tensor], x: Tensor, widest: int) -> Tensor:
    """Return `function(x)` for a function that treats every entry of the first dimension alone (see `pieces`)."""
    first, *others = pieces(len(x), widest, x.device)
    if not others:
        return function(x)
    result = function(x[first])
    out = result.new_empty(len(x), *result.shape[1:])
    out[first] = result
    for piece in others:
        out[piece] = function(x[piece])
    return out
