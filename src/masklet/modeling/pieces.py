"""Work done piece by piece, so that what lies between input and output stays in the processor's cache."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from masklet.modeling.plain_calls import is_plain_inside, is_recorded

# Numbers of the widest intermediate tensor that a thread computes at a time: 2 MiB in float32, about one core's cache.
NUMBERS_PER_THREAD = 2**19
# Tile units (AMX) want weights in a layout of their own, which oneDNN makes anew for every product: fewer and larger
# pieces, which leave the cache, cost less (tiny encodes in three quarters of the time).
NUMBERS_PER_THREAD_ON_TILES = 2**21


def pays_in_pieces(device: torch.device) -> bool:
    """Whether work in pieces is quicker here: on a processor, without gradients and not recorded as a graph."""
    return device.type == "cpu" and not torch.is_grad_enabled() and not is_recorded()


def has_tile_units(x: Tensor) -> bool:
    """Whether products of `x` are computed by the processor's tile units (AMX), which multiply halves."""
    return x.device.type == "cpu" and x.dtype.itemsize == 2 and torch.cpu._is_amx_tile_supported()


def pieces(count: int, widest: int, like: Tensor, *called: nn.Module) -> list[slice]:
    """Cut `count` entries, whose largest intermediate tensor has `widest` numbers each, into pieces that fit the cache.

    `like` has the device and the number type of what is computed. With gradients, which need all of it anyway, on an
    accelerator and in recorded graphs there is one piece, of everything; so there is if one of the layers that are
    `called` is not of ours, or watched by a hook.
    """
    if not pays_in_pieces(like.device):
        return [slice(None)]
    numbers = NUMBERS_PER_THREAD_ON_TILES if has_tile_units(like) else NUMBERS_PER_THREAD
    size = max(numbers * torch.get_num_threads() // max(widest, 1), 1)
    if size >= count or not is_plain_inside(*called):
        return [slice(None)]
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]


def in_pieces(function: Callable[[Tensor], Tensor], x: Tensor, widest: int, *called: nn.Module) -> Tensor:
    """Return `function(x)` for a function that treats every entry of the first dimension alone (see `pieces`)."""
    first, *others = pieces(x.shape[0], widest, x, *called)
    if not others:
        return function(x)
    result = function(x[first])
    out = result.new_empty(x.shape[0], *result.shape[1:])
    out[first] = result
    for piece in others:
        out[piece] = function(x[piece])
    return out


def row_by_row(function: Callable[[Tensor], Tensor], x: Tensor, widest: int, *called: nn.Module) -> Tensor:
    """Return `function(x)` for a function that treats every row of the last dimension alone (see `pieces`)."""
    if not is_recorded() and not is_plain_inside(*called):
        return function(x)
    return in_pieces(function, x.reshape(-1, x.shape[-1]), widest).unflatten(0, x.shape[:-1])
