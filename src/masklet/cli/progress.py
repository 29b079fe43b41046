"""Progress bars on stderr, so that stdout holds results only; nothing where stderr is not a terminal."""

import os
import sys
from pathlib import Path

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


class PerSecond(ProgressColumn):
    """The speed of a task, in `unit` (for example "steps") a second."""

    def __init__(self, unit: str) -> None:
        super().__init__()
        self._unit = unit

    def render(self, task: Task) -> Text:
        """Return the speed as text, or nothing before it is known."""
        return Text(f"{task.speed:.2f} {self._unit}/s" if task.speed else "")


class MemoryInUse(ProgressColumn):
    """How much of the machine's memory the program holds now."""

    def render(self, task: Task) -> Text:
        """Return the memory as text, or nothing where the system does not report it."""
        held = resident_bytes()
        return Text(f"{held / 2**20:,.0f} MiB" if held else "")


def resident_bytes() -> int:
    """Return the resident memory of this process, 0 where the system does not report it."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def progress_bar(*further_columns: str | ProgressColumn) -> Progress:
    """Return a progress bar (a context manager) that vanishes at the end; tasks without a total show a spinner."""
    console = Console(stderr=True)
    console.quiet = not console.is_terminal  # earlier versions of rich end a disabled bar by an empty line
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
