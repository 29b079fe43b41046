"""What processors return: a dictionary of model inputs that moves and casts as one."""

from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from masklet.errors import InvalidInputError
from masklet.json_files import one_of

TENSOR_TYPES = (None, "pt", "np")


class BatchFeature(dict[str, Any]):
    """Model inputs by key, also readable as attributes: `batch["pixel_values"]` is `batch.pixel_values`.

    Args:
        data: the inputs by name.
        tensor_type: "pt" stacks every value into a tensor, "np" into an array, None leaves values as they are.

    Raises:
        InvalidInputError: for any other tensor type, or if entries of different shapes should be stacked.
    """

    def __init__(self, data: Mapping[str, Any] | None = None, tensor_type: str | None = None) -> None:
        super().__init__(data or {})
        self.convert_to_tensors(tensor_type)

    @property
    def data(self) -> Self:
        """The inputs by name, which are the batch itself."""
        return self

    def convert_to_tensors(self, tensor_type: str | None = None) -> Self:
        """Stack every value into a tensor ("pt") or an array ("np"), in place; return the batch itself.

        Raises:
            InvalidInputError: for any other tensor type, or if entries of different shapes should be stacked.
        """
        one_of(tensor_type, "return_tensors", TENSOR_TYPES)
        if tensor_type is not None:
            for name, value in self.items():
                tensor = _stacked(name, value)
                self[name] = tensor.cpu().numpy() if tensor_type == "np" else tensor
        return self

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"No {name!r} among the inputs {sorted(self)}.") from None

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Move all tensors to a device and cast the floating ones to a dtype, in place; return the batch itself.

        Takes what `Tensor.to` takes: a device, a dtype, or a device and then a dtype.
        """
        device, dtype, non_blocking, _ = torch._C._nn._parse_to(*args, **kwargs)

        def move(tensor: Tensor) -> Tensor:
            return tensor.to(device, dtype if tensor.is_floating_point() else None, non_blocking)

        for name, value in self.items():
            self[name] = _with_tensors(value, move)
        return self


def _stacked(name: str, value: Any) -> Tensor:
    if isinstance(value, Tensor):
        return value
    if isinstance(value, list) and value and isinstance(value[0], Tensor):
        shapes = sorted({tuple(item.shape) for item in value})
        if len(shapes) > 1:
            raise InvalidInputError(
                f"Cannot stack {name} of different shapes {shapes}; resize them, or use return_tensors=None."
            )
        return torch.stack(value)
    return torch.as_tensor(np.asarray(value))


def _with_tensors(value: Any, change: Callable[[Tensor], Tensor]) -> Any:
    if isinstance(value, Tensor):
        return change(value)
    return [_with_tensors(item, change) for item in value] if isinstance(value, list) else value
