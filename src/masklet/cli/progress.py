"""Progress bars on stderr, so that stdout holds results only; nothing where stderr is not a terminal."""

import sys

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text


class StepsPerSecond(ProgressColumn):
    """The speed of a task."""

    def render(self, task: Task) -> Text:
        """Return the speed as text, or nothing before it is known."""
        return Text(f"{task.speed:.2f} steps/s" if task.speed else "")


def progress_bar(*further_columns: str | ProgressColumn) -> Progress:
    """Return a progress bar (a context manager) that vanishes at the end; tasks without a total show a spinner."""
    console = Console(stderr=True)
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        *further_columns,
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
        redirect_stdout=sys.stdout.isatty(),
    )
