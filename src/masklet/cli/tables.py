"""Tables of results at the terminal."""

import rich.table
from rich.box import SIMPLE_HEAVY

from masklet.evaluation.reporting.table import Emphasis, Table

NAME_WIDTH = 28
STYLES = {Emphasis.HEADING: "italic", Emphasis.TOTAL: "bold"}


def drawn_table(table: Table) -> rich.table.Table:
    """Return a table for rich's console, narrow enough for a terminal of 80 columns."""
    drawn = rich.table.Table(title=table.title, box=SIMPLE_HEAVY, pad_edge=False, collapse_padding=True)
    if table.is_dense:
        drawn.padding = 0  # one space between columns: room for names beside four measures
    drawn.add_column("", overflow="fold", max_width=NAME_WIDTH)
    for heading in table.headings:
        drawn.add_column(heading, justify="right", no_wrap=True)
    for row in table.rows:
        style = None if row.emphasis is None else STYLES[row.emphasis]
        drawn.add_row(row.name, *row.cells, style=style, end_section=row.ends_section)
    return drawn
