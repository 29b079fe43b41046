"""Work with progress: each job in a thread of its own, which gives the device one unit after the other."""

import json
import logging
import math
import time
from collections.abc import Callable, Iterator
from threading import Lock, Thread

from masklet.errors import InvalidInputError, UnreadableImageError, UnreadableVideoError
from masklet.server.database import Database
from masklet.server.job import ENDED, Job, Work
from masklet.server.limits import Limits
from masklet.server.messages import JobKind, JobMessage, JobState
from masklet.server.problems import Problem, not_found, of_full_disk
from masklet.server.projects import Project, Projects, new_id

USABLE_ERRORS = (InvalidInputError, UnreadableImageError, UnreadableVideoError, Problem)
_STOP_SECONDS = 30.0  # a step takes less, whatever the model


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

    def stop(self, project: Project, item: str | None = None) -> None:
        """Let the jobs of a project, or of one of its items, which is to be removed, end, and wait for it."""
        with self._lock:
            jobs = [each for each in self._jobs.values() if each.project is project and item in (None, each.item)]
        for job in jobs:
            self.cancel(job)
        for job in jobs:
            job.ended.wait(_STOP_SECONDS)

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
