"""Ctrl-C and SIGTERM as requests: work that is done step by step ends after a step, with a whole result."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from masklet.cli.exit_codes import ExitCode


def exit_when_terminated() -> None:
    """Let SIGTERM end this process as `sys.exit` does: temporary folders and unfinished files are removed."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(ExitCode.TERMINATED))


class Interruption:
    """Whether Ctrl-C was pressed, or the process was asked to terminate."""

    was_asked_for = False

    def ask(self, number: int, frame: FrameType | None) -> None:
        """Take note of the first signal; at the second, stop at once."""
        if self.was_asked_for:
            raise KeyboardInterrupt
        self.was_asked_for = True


@contextmanager
def noticed_interruption() -> Iterator[Interruption]:
    """Within the block the first Ctrl-C or SIGTERM is only noticed; a second one interrupts as usual."""
    interruption = Interruption()
    previous = {number: signal.signal(number, interruption.ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interruption
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
