"""Numbers in containers of every kind, as tensors that torch computes with."""

import numpy as np
import torch
from torch import Tensor

from masklet.errors import InvalidInputError

_WIDE_UNSIGNED = (torch.uint16, torch.uint32, torch.uint64)


def number_tensor(values: object, name: str) -> Tensor:
    """Return an array, a tensor, a Pillow image or nested lists of numbers as a tensor of the same shape.

    Any strides and byte order will do, and arrays that may not be written to. bool, integers and floats keep their
    type, where torch has operations for it: wider unsigned integers than uint8 become int64, long doubles float64.
    `name` is what messages call the values, say "Input masks".

    Raises:
        InvalidInputError: if they are not real numbers in the computer's memory, all of one shape.
    """
    if isinstance(values, Tensor):
        if values.is_complex() or values.layout != torch.strided or values.is_meta:
            kind = f"{values.layout} tensor of {values.dtype} on {values.device}"
            raise InvalidInputError(f"{name} must be an array of numbers, got a {kind}.")
        return values.to(torch.int64) if values.dtype in _WIDE_UNSIGNED else values
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise InvalidInputError(f"{name} must be an array of numbers, got lists of different lengths.") from error
    if array.dtype.kind not in "buif":
        raise InvalidInputError(f"{name} must be an array of numbers, got dtype {array.dtype}.")
    return torch.from_numpy(np.require(array, _supported(array.dtype), requirements=["C", "W"]))


def _supported(dtype: np.dtype) -> np.dtype:
    """Return the nearest type, in the computer's byte order, that torch has operations for."""
    if dtype.kind == "u" and dtype.itemsize > 1:
        return np.dtype(np.int64)
    if dtype.kind == "f" and dtype.itemsize > 8:
        return np.dtype(np.float64)
    return dtype.newbyteorder("=")
