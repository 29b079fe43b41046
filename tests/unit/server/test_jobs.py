"""Jobs: how many run, who waits, how they end."""

import gc
import threading
import time
import weakref
from collections.abc import Iterator
from dataclasses import replace

import pytest

from masklet import InvalidInputError
from masklet.server.job import Job
from masklet.server.jobs import JobBook
from masklet.server.limits import Limits
from masklet.server.problems import Problem
from masklet.server.projects import Project, Projects


class Waiting:
    """Work that ends when it is let go, or cancelled."""

    def __init__(self, error: Exception | None = None) -> None:
        self.free, self._error = threading.Event(), error

    def run(self, job: Job) -> None:
        while not self.free.wait(0.005) and not job.is_cancelled:
            pass
        if self._error is not None:
            raise self._error


@pytest.fixture
def book(projects: Projects) -> Iterator[JobBook]:
    made = JobBook(projects, replace(Limits(), queued_jobs=2))
    yield made
    made.close()


def started(book: JobBook, project: Project, work: Waiting, item: str | None = None) -> Job:
    return book.start("ann", project, "track", work, item, lambda job: None)


def ended(job: Job) -> str:
    until = time.monotonic() + 20
    while job.state in ("queued", "running") and time.monotonic() < until:
        time.sleep(0.005)
    return job.state


def test_two_run_and_the_others_wait(book: JobBook, project: Project) -> None:
    works = [Waiting() for _ in range(4)]
    jobs = [started(book, project, work) for work in works]
    assert [job.state for job in jobs] == ["running", "running", "queued", "queued"]
    with pytest.raises(Problem, match="Too many jobs"):
        started(book, project, Waiting())
    works[1].free.set()
    assert ended(jobs[1]) == "done"
    until = time.monotonic() + 20
    while jobs[2].state != "running" and time.monotonic() < until:
        time.sleep(0.005)
    assert [job.state for job in jobs] == ["running", "done", "running", "queued"]
    book.cancel(jobs[3])
    assert jobs[3].state == "cancelled"
    assert [each.state for each in book.of("ann")] == ["cancelled", "running", "done", "running"]
    assert book.of("bob") == []
    assert book.busy_items() == set()


def test_one_job_of_an_item_at_a_time(book: JobBook, project: Project) -> None:
    first, second = (started(book, project, Waiting(), "itm_1") for _ in range(2))
    assert (first.state, second.state) == ("running", "queued")
    assert book.busy_items() == {"itm_1"}


def test_what_is_removed_is_not_worked_on(book: JobBook, projects: Projects, project: Project) -> None:
    other = projects.make("ann", "q", [])
    first, second = (started(book, project, Waiting(), f"itm_{number}") for number in (1, 2))
    waiting = started(book, other, Waiting(), "itm_1")
    book.stop(project, "itm_1")
    assert (first.state, second.state, waiting.state) == ("cancelled", "running", "running")
    book.stop(project)
    assert (second.state, waiting.state) == ("cancelled", "running")


def test_what_has_ended_is_held_by_the_database_only(book: JobBook, project: Project) -> None:
    held = weakref.ref(work := Waiting())
    job = started(book, project, work)
    work.free.set()
    assert job.ended.wait(20)
    book.close()
    known, number = job.id, job.number
    del job, work
    gc.collect()
    assert held() is None, "an item with all its news hangs on the work"
    stored = book.find("ann", known)
    assert (stored.state, stored.number) == ("done", number)


def test_lists_of_jobs_have_pages(book: JobBook, projects: Projects, project: Project) -> None:
    other = projects.make("ann", "q", [])
    jobs = []
    for place in range(5):
        jobs.append(started(book, (project, other)[place % 2], done := Waiting()))
        done.free.set()
        assert ended(jobs[-1]) == "done"
    ids = [job.id for job in reversed(jobs)]
    assert [each.id for each in book.of("ann", limit=2)] == ids[:2]
    assert [each.id for each in book.of("ann", after=ids[1], limit=2)] == ids[2:4]
    assert [each.id for each in book.of("ann", "done", after=ids[3])] == ids[4:]
    assert book.of("ann", "failed") == []
    with pytest.raises(Problem, match="nothing of yours"):
        book.of("bob", after=ids[0])


def test_how_jobs_end(book: JobBook, project: Project) -> None:
    wrong, broken = (
        Waiting(InvalidInputError(f"{project.folder}/media/x.mp4 is no video")),
        Waiting(ZeroDivisionError()),
    )
    jobs = [started(book, project, work) for work in (wrong, broken)]
    for work in (wrong, broken):
        work.free.set()
    assert [ended(job) for job in jobs] == ["failed", "failed"]
    assert jobs[0].error == "media/x.mp4 is no video"
    assert "fault in masklet" in str(jobs[1].error)
    cancelled = started(book, project, Waiting())
    book.cancel(cancelled)
    assert ended(cancelled) == "cancelled"
    interrupted = started(book, project, Waiting())
    book.close()
    assert interrupted.state == "interrupted"
    with pytest.raises(Problem, match="nothing of yours"):
        book.find("bob", interrupted.id)
