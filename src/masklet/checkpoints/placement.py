"""Where weights are brought to, and to which number type."""

from functools import reduce

import torch

from masklet.checkpoints.renaming import Tensors
from masklet.errors import CheckpointError, InvalidInputError
from masklet.json_files import shown

DType = torch.dtype | str | None
# What the network's operations exist for; other floating-point types are for storage only.
COMPUTED_IN = (torch.float32, torch.bfloat16, torch.float16, torch.float64)


def as_device(device: torch.device | str | None) -> torch.device:
    """Return a device, the CPU for None; InvalidInputError if nothing can be computed on it here."""
    try:
        known = torch.device("cpu" if device is None else device)
        torch.zeros(1, device=known).item()  # the device "meta" makes tensors, but no numbers
    except (RuntimeError, AssertionError, TypeError, ValueError, ImportError, OverflowError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)[:200]
        raise InvalidInputError(f"The device {shown(device)} cannot be used here ({reason}); try 'cpu'.") from error
    return known


def as_dtype(dtype: DType, torch_dtype: DType = None) -> torch.dtype | None:
    """Return the type that both arguments name, float32 if none does, or None for "auto".

    InvalidInputError for two different types, and for one that nothing is computed in.
    """
    named = {str(each).removeprefix("torch.") for each in (dtype, torch_dtype) if each is not None}
    if len(named) > 1:
        raise InvalidInputError(
            f"dtype={shown(dtype)} and torch_dtype={shown(torch_dtype)} are two spellings of one argument; give one."
        )
    name = named.pop() if named else "float32"
    known = {_name(each): each for each in COMPUTED_IN}
    if name != "auto" and name not in known:
        raise InvalidInputError(f"dtype={shown(name)}; the network computes in {', '.join(known)} or 'auto'.")
    return known.get(name)


def dtype_of_mixed(tensors: Tensors, what: str) -> torch.dtype | None:
    """Return the floating-point type that holds all numbers of tensors of several; None if all are of one.

    CheckpointError, beginning with `what` (the file), for types that nothing is computed in.
    """
    found = {tensor.dtype for tensor in tensors.values() if tensor.is_floating_point()}
    if foreign := found - set(COMPUTED_IN):
        names = ", ".join(sorted(map(_name, foreign)))
        raise CheckpointError(f"{what} holds weights in {names}, which nothing is computed in; give dtype='float32'.")
    return reduce(torch.promote_types, found) if len(found) > 1 else None


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
