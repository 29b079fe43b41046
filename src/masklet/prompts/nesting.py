"""Nested prompts as users write them (lists, tuples, arrays, tensors; ragged), and the tensors they become."""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import torch
from torch import Tensor

from masklet.errors import InvalidInputError
from masklet.json_files import shown


@dataclass(frozen=True)
class PromptLayout:
    """How one kind of prompt is nested.

    Attributes:
        name: the kind, in the plural, as messages call it.
        levels: what each level of nesting stands for, outermost first.
        coordinates: length of the innermost lists; None if the innermost level may be ragged.
    """

    name: str
    levels: tuple[str, ...]
    coordinates: int | None

    @property
    def description(self) -> str:
        """The expected nesting, as messages print it."""
        return f"[{', '.join(self.levels)}]"


POINTS = PromptLayout("points", ("image level", "object level", "point level", "point coordinates"), 2)
LABELS = PromptLayout("labels", ("image level", "object level", "point level"), None)
BOXES = PromptLayout("boxes", ("image level", "box level", "box coordinates"), 4)


def nested_lists(prompts: object, layout: PromptLayout) -> list[Any]:
    """Return prompts as plain nested lists of numbers, checked against their layout; the input is not changed.

    Args:
        prompts: lists or tuples, nested as `layout` says and ragged where they like, with arrays or tensors anywhere;
            or one array or tensor. None in place of an image's prompts means that it has none.
        layout: `POINTS`, `LABELS` or `BOXES`.

    Raises:
        InvalidInputError: if the nesting is too deep, too shallow or uneven, if a point or box has the wrong number of
            coordinates, if anything in it is not a number, or if there is no prompt at all.
    """
    if isinstance(prompts, np.ndarray | Tensor):
        _check_array(prompts, layout)
    elif not isinstance(prompts, list | tuple):
        raise InvalidInputError(
            f"Input {layout.name} are lists or tuples, nested as {layout.description}, or an array or tensor; got "
            f"{type(prompts).__name__}."
        )
    lists = _as_lists(prompts)
    if (depth := _depth(lists)) is not None and depth != len(layout.levels):
        raise InvalidInputError(
            f"Input {layout.name} are nested {len(layout.levels)} levels deep, {layout.description}; got {depth}."
        )
    lists = [[] if of_image is None else of_image for of_image in lists]
    _check_even(lists, layout, position=())
    if 0 in extent(lists, layout):
        raise InvalidInputError(f"Input {layout.name} are empty; leave the argument out to give none.")
    return lists


def padded(lists: list[Any], layout: PromptLayout, value: float, dtype: torch.dtype) -> Tensor:
    """Return checked nested lists as one tensor in which missing objects, points or boxes consist of `value`."""
    return torch.tensor(_padded_lists(lists, extent(lists, layout), value), dtype=dtype)


def extent(lists: list[Any], layout: PromptLayout) -> tuple[int, ...]:
    """Return the shape of the smallest tensor that holds the nested lists."""
    shape = _extent(lists, len(layout.levels))
    return shape if layout.coordinates is None else (*shape[:-1], layout.coordinates)


def _check_array(prompts: np.ndarray | Tensor, layout: PromptLayout) -> None:
    if prompts.ndim != len(layout.levels):
        raise InvalidInputError(
            f"Input {layout.name} in one array have {len(layout.levels)} dimensions, {layout.description}; got "
            f"{prompts.ndim}."
        )
    if layout.coordinates is not None and prompts.shape[-1] != layout.coordinates:
        raise InvalidInputError(
            f"The last dimension of input {layout.name} has {layout.coordinates} coordinates; got {prompts.shape[-1]}."
        )


def _as_lists(value: object) -> Any:
    if isinstance(value, np.ndarray | Tensor):
        try:
            return _as_lists(value.tolist())
        except RuntimeError as error:  # of tensors that hold no numbers in rows
            raise InvalidInputError(f"Prompts must be numbers; got a {value.dtype} tensor without.") from error
    return [_as_lists(item) for item in value] if isinstance(value, list | tuple) else value


def _depth(value: object) -> int | None:
    """Levels of nesting down to the first number, or None if there is none."""
    if not isinstance(value, list):
        return None if value is None else 0
    depths = (_depth(item) for item in value)
    first = next((depth for depth in depths if depth is not None), None)
    return None if first is None else first + 1


def _check_even(value: object, layout: PromptLayout, position: tuple[int, ...]) -> None:
    where = f"input {layout.name}" + "".join(f"[{index}]" for index in position)
    levels_left = len(layout.levels) - len(position)
    if levels_left == 0:
        if not isinstance(value, Real):
            raise InvalidInputError(f"Expected a number at {where}, got {shown(value)}.")
        return
    if not isinstance(value, list):
        raise InvalidInputError(f"Expected a list ({layout.levels[len(position)]}) at {where}, got {shown(value)}.")
    if levels_left == 1 and layout.coordinates is not None and len(value) != layout.coordinates:
        raise InvalidInputError(f"Expected {layout.coordinates} coordinates at {where}, got {len(value)}: {value}.")
    for index, item in enumerate(value):
        _check_even(item, layout, (*position, index))


def _extent(value: list[Any], levels: int) -> tuple[int, ...]:
    if levels == 1:
        return (len(value),)
    inner = [_extent(item, levels - 1) for item in value] or [(0,) * (levels - 1)]
    return (len(value), *(max(lengths) for lengths in zip(*inner, strict=True)))


def _padded_lists(value: list[Any], shape: Sequence[int], padding: float) -> list[Any]:
    missing = shape[0] - len(value)
    if len(shape) == 1:
        return value + [padding] * missing
    return [_padded_lists(item, shape[1:], padding) for item in value + [[]] * missing]
