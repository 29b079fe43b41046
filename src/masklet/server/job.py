"""One piece of work with progress: what it is, how far it is, and what becomes of it."""

import json
import sqlite3
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Event as Flag
from typing import Any, Protocol

from masklet.server.messages import JobKind, JobMessage, JobState
from masklet.server.projects import Project

ENDED = ("done", "cancelled", "interrupted", "failed")
_RATE_FRAMES = 32


class Work(Protocol):
    """What a job does."""

    def run(self, job: "Job") -> None:
        """Do it; end early once `job.is_cancelled`."""


@dataclass
class Job:
    """A job of a user.

    Attributes:
        id: of the job.
        number: in mask packets.
        kind: of work.
        user: whose it is.
        project: where it is stored.
        item: what it is about; None: several.
        work: what is done.
        on_change: called after every change.
        created: seconds since 1970.
        state: what became of it.
        version: rises with every change.
        prompted: prompts that were given meanwhile, by object and frame.
        ended: set once it is over and all of it is stored.
    """

    id: str
    number: int
    kind: JobKind
    user: str
    project: Project
    item: str | None
    work: Work
    on_change: Callable[["Job"], None]
    created: float
    state: JobState = "queued"
    done: int = 0
    total: int = 0
    error: str | None = None
    notes: list[str] = field(default_factory=list)
    result: dict[str, Any] | None = None
    version: int = 0
    prompted: SimpleQueue[tuple[int, int]] = field(default_factory=SimpleQueue)
    ended: Flag = field(default_factory=Flag)
    _cancelled: Flag = field(default_factory=Flag)
    _times: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=_RATE_FRAMES))

    @property
    def is_cancelled(self) -> bool:
        """Whether it was asked to end."""
        return self._cancelled.is_set()

    def cancel(self) -> None:
        """Ask it to end after the step at hand."""
        self._cancelled.set()

    def advance(self, done: int, total: int) -> None:
        """Note how far it is."""
        self.done, self.total = done, total
        self._times.append((time.monotonic(), done))
        self.changed()

    def changed(self) -> None:
        """Tell who waits for news."""
        self.version += 1
        self.on_change(self)

    def store(self, connection: sqlite3.Connection) -> None:
        """Write what became of it."""
        result = None if self.result is None else json.dumps(self.result)
        values = (self.state, self.done, self.total, self.error, json.dumps(self.notes), result, self.number)
        connection.execute("UPDATE job SET state=?, done=?, total=?, error=?, notes=?, result=? WHERE number=?", values)

    def message(self) -> JobMessage:
        """Return the job as a message."""
        rate = self._rate()
        return JobMessage(
            id=self.id,
            number=self.number,
            kind=self.kind,
            state=self.state,
            project=self.project.id,
            item=self.item,
            done=self.done,
            total=self.total,
            fps=rate,
            eta_s=round((self.total - self.done) / rate, 1) if rate else None,
            error=self.error,
            notes=self.notes,
            result=self.result,
            created=self.created,
        )

    def _rate(self) -> float | None:
        if self.state != "running" or len(self._times) < 2:
            return None
        (begin, first), (end, last) = self._times[0], self._times[-1]
        return round((last - first) / (end - begin), 2) if last > first and end > begin else None
