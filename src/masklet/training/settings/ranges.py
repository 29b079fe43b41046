"""Allowed ranges of numeric settings."""

import operator

from masklet.errors import InvalidInputError


def require_numbers(
    settings: object,
    *names: str,
    at_least: float | None = None,
    above: float | None = None,
    at_most: float | None = None,
    below: float | None = None,
) -> None:
    """Raise `InvalidInputError` for the first of these fields that is out of bounds, with its value and the bounds.

    None, where a field may be that, is in any bounds; what is no number (NaN) in none.
    """
    bounds = [
        ("at least", at_least, operator.ge),
        ("above", above, operator.gt),
        ("at most", at_most, operator.le),
        ("below", below, operator.lt),
    ]
    given = [(word, bound, holds) for word, bound, holds in bounds if bound is not None]
    for name in names:
        value = getattr(settings, name)
        if value is not None and not all(holds(value, bound) for _, bound, holds in given):
            allowed = " and ".join(f"{word} {bound:g}" for word, bound, _ in given)
            raise InvalidInputError(f"{type(settings).__name__}.{name}={value}; it must be {allowed}.")
