"""The rows and columns of a table of results; how it is drawn is up to the caller."""

from dataclasses import dataclass
from enum import StrEnum


class Emphasis(StrEnum):
    """What a row is, beside an ordinary one."""

    HEADING = "heading"
    TOTAL = "total"


@dataclass(frozen=True)
class Row:
    """The name and the cells of a row; fewer cells than columns leave the last ones empty."""

    name: str
    cells: tuple[str, ...] = ()
    emphasis: Emphasis | None = None
    ends_section: bool = False


@dataclass(frozen=True)
class Table:
    """A table of results.

    Attributes:
        title: one or more lines.
        headings: of the columns of numbers, one or two lines each; the names have none.
        rows: from the top down.
        is_dense: whether columns stand as close as they can, as there are many.
    """

    title: str
    headings: tuple[str, ...]
    rows: tuple[Row, ...]
    is_dense: bool = False
