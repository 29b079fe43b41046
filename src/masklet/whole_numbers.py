"""Whole numbers that programs hand over: of Python, numpy or torch."""

import operator
from typing import Any

from masklet.errors import InvalidInputError
from masklet.json_files import shown


def is_whole_number(value: object) -> bool:
    """Return whether a value is a whole number of any kind; bool, floats and text are none."""
    return _index(value) is not None


def as_whole_number(value: Any, name: str, least: int | None = None, most: int | None = None) -> int:
    """Return a whole number of any kind as an int; `json_files.whole_number` reads those of files, which may be text.

    Args:
        value: the number.
        name: what messages call it.
        least: the lower bound.
        most: the upper bound.

    Raises:
        InvalidInputError: if it is no whole number, or beyond the bounds.
    """
    number = _index(value)
    if number is None or (least is not None and number < least) or (most is not None and number > most):
        bounds = f"{'' if least is None else f' from {least}'}{'' if most is None else f' up to {most}'}"
        raise InvalidInputError(f"{name} must be a whole number{bounds}; got {shown(value)}.")
    return number


def _index(value: Any) -> int | None:
    if isinstance(value, bool) or getattr(value, "dtype", None) == "bool":  # numpy below 2 counts with its own, too
        return None
    try:
        return operator.index(value)
    except (TypeError, ValueError, RuntimeError):  # the last of tensors without values
        return None
