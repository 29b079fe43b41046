"""Images and annotations that belong together by their names, which differ in the suffix alone."""

from collections.abc import Container, Iterable
from pathlib import Path

from masklet.errors import InvalidInputError


def by_stem(paths: Iterable[Path], annotated: Container[str] | None = None) -> dict[str, Path]:
    """Return the files of one folder by their names without suffix, in their order.

    InvalidInputError, naming both, if two have the same and it is in `annotated` (None: all are): which of them an
    annotation is about cannot be told.
    """
    found: dict[str, Path] = {}
    for path in paths:
        if path.stem in found and (annotated is None or path.stem in annotated):
            both = f"{found[path.stem]} and {path}"
            raise InvalidInputError(f"{both} have one name but for the suffix; annotations of it could be of either.")
        found[path.stem] = path
    return found
