"""Work with progress: each job in a thread of its own, which gives the device one unit after the other."""

import json
import logging
import math
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Event as Flag
from threading import Lock, Thread
from typing import Any, Protocol

from masklet.errors import InvalidInputError, UnreadableImageError, UnreadableVideoError
from masklet.server.database import Database
from masklet.server.limits import Limits
from masklet.server.messages import JobKind, JobMessage, JobState
from masklet.server.problems import Problem, not_found, of_full_disk
from masklet.server.projects import Project, Projects, new_id

USABLE_ERRORS = (InvalidInputError, UnreadableImageError, UnreadableVideoError, Problem)
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


class JobBook:
    """All jobs: those that run, those that wait, and those of the past, from the projects' databases.

    Args:
        projects: where jobs are stored.
        limits: of how many run and wait.
    """

    def __init__(self, projects: Projects, limits: Limits) -> None:
        self._projects, self._limits = projects, limits
        self._lock = Lock()
        self._jobs: dict[str, Job] = {}
        self._threads: list[Thread] = []
        self._is_closed = False

    def start(
        self, user: str, project: Project, kind: JobKind, work: Work, item: str | None, on_change: Callable[[Job], None]
    ) -> Job:
        """Start a job, or let it wait until another one of the user ends; Problem if too many wait."""
        with self._lock:
            waiting = sum(each.state == "queued" for each in self._jobs.values())
            if waiting >= self._limits.queued_jobs or self._is_closed:
                raise Problem(503, "busy", "Too many jobs are waiting.", headers={"Retry-After": "30"})
        job_id, created = new_id("job"), time.time()
        with project.database.writing() as connection:
            query = "INSERT INTO job(id, item, kind, state, spec, created) VALUES(?, ?, ?, 'queued', '{}', ?)"
            number = int(connection.execute(query, (job_id, item, kind, created)).lastrowid or 0)
        job = Job(job_id, number, kind, user, project, item, work, on_change, created)
        with self._lock:
            self._jobs[job_id] = job
        self._begin_next(user)
        return job

    def find(self, user: str, job_id: str) -> Job | JobMessage:
        """Return a user's job, or what is stored of one of the past; Problem if there is none."""
        job = self._jobs.get(job_id)
        if job is not None and job.user == user:
            return job
        for project in self._projects.of(user):
            for found in stored_jobs(project.database, project.id, "id=?", job_id):
                return found
        raise not_found()

    def of(self, user: str, state: str | None = None, after: str | None = None, limit: int = 500) -> list[JobMessage]:
        """Return at most so many of a user's jobs (of one state if given), newest first, from behind one of them on.

        Problem if there is no job `after`.
        """
        last = (math.inf, "") if after is None else _place(self._current_of(user, after))
        live = [each.id for each in list(self._jobs.values()) if each.user == user]
        chosen = f"(state=? OR id IN ({','.join('?' * len(live))}))" if state else "1"  # of those the state is older
        values = [*last, *([state, *live] if state else []), limit + len(live)]
        found = []
        for project in self._projects.of(user):
            where = f"(created, id) < (?, ?) AND {chosen} ORDER BY created DESC, id DESC LIMIT ?"
            found += [self._current(each) for each in stored_jobs(project.database, project.id, where, *values)]
        found.sort(key=_place, reverse=True)
        return [each for each in found if state is None or each.state == state][:limit]

    def of_item(self, project: Project, item: str) -> list[JobMessage]:
        """Return the last jobs of an item, newest first."""
        stored = stored_jobs(project.database, project.id, "item=? ORDER BY number DESC LIMIT 10", item)
        return [self._current(each) for each in stored]

    def running(self, item: str) -> list[Job]:
        """Return the jobs of an item that run or wait."""
        with self._lock:
            return [each for each in self._jobs.values() if each.item == item and each.state not in ENDED]

    def busy_items(self) -> set[str]:
        """Return the ids of the items that jobs work on."""
        with self._lock:
            return {each.item for each in self._jobs.values() if each.item is not None and each.state == "running"}

    def counts(self) -> dict[str, int]:
        """Return how many jobs run and wait."""
        with self._lock:
            states = [each.state for each in self._jobs.values()]
        return {"running": states.count("running"), "queued": states.count("queued")}

    def cancel(self, job: Job) -> None:
        """Let a job end after the step at hand, or before it begins."""
        job.cancel()
        if job.state == "queued":
            self._end(job, "cancelled")

    def close(self) -> None:
        """Let all jobs end after the step at hand, and wait for it."""
        with self._lock:
            self._is_closed = True
            jobs, threads = list(self._jobs.values()), list(self._threads)
        for job in jobs:
            job.cancel()
        for thread in threads:
            thread.join()

    def _current_of(self, user: str, job_id: str) -> JobMessage:
        job = self.find(user, job_id)
        return job.message() if isinstance(job, Job) else job

    def _current(self, stored: JobMessage) -> JobMessage:
        job = self._jobs.get(stored.id)
        return stored if job is None else job.message()

    def _begin_next(self, user: str) -> None:
        with self._lock:
            own = [each for each in self._jobs.values() if each.user == user]
            busy = {each.item for each in own if each.state == "running" and each.item is not None}
            free = self._limits.running_jobs_per_user - sum(each.state == "running" for each in own)
            for job in [each for each in own if each.state == "queued" and each.item not in busy][: max(0, free)]:
                job.state = "running"
                thread = Thread(target=self._run, args=(job,), name=f"masklet-{job.kind}", daemon=True)
                self._threads = [each for each in self._threads if each.is_alive()] + [thread]
                thread.start()

    def _run(self, job: Job) -> None:
        try:
            job.changed()
            job.work.run(job)
            ended: JobState = "cancelled" if job.is_cancelled else "done"
            self._end(job, "interrupted" if self._is_closed and job.is_cancelled else ended)
        except USABLE_ERRORS as error:
            job.error = str(error.detail) if isinstance(error, Problem) else job.project.told(error)
            self._end(job, "failed")
        except Exception as error:
            job.error = _reason(error)
            self._end(job, "failed")

    def _end(self, job: Job, state: JobState) -> None:
        job.state = state
        try:
            with job.project.database.writing() as connection:
                job.store(connection)
            with self._lock:
                self._jobs.pop(job.id, None)  # from now on it is read from there
        except Problem as problem:  # a full disk: what is stored says that it runs, until the next start
            job.state, job.error = "failed", str(problem.detail)
        finally:
            job.ended.set()
        job.changed()
        if not self._is_closed:
            self._begin_next(job.user)


def _reason(error: Exception) -> str:
    if (problem := of_full_disk(error)) is not None:
        return str(problem.detail)
    logging.getLogger("masklet.server").error("a job ended by a fault in masklet", exc_info=error)
    return "a fault in masklet; the server's log says more"


def _place(job: JobMessage) -> tuple[float, str]:
    return job.created, job.id


def stored_jobs(database: Database, project: str, where: str, *values: object) -> Iterator[JobMessage]:
    """Yield the stored jobs of a project for which a condition in SQL holds."""
    with database.reading() as connection:
        rows = connection.execute(f"SELECT * FROM job WHERE {where}", values).fetchall()
    for row in rows:
        yield JobMessage(
            **{
                name: row[name]
                for name in ("id", "number", "kind", "state", "item", "done", "total", "error", "created")
            },
            project=project,
            notes=json.loads(row["notes"]),
            result=None if row["result"] is None else json.loads(row["result"]),
        )
