"""A disk without room: whoever writes gets an error, and nothing ends that was not asked to."""

import errno
import sqlite3
from types import SimpleNamespace
from typing import Any, cast

import pytest
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from masklet.server import dispatch
from masklet.server.handling import Handling
from masklet.server.job import Job
from masklet.server.jobs import JobBook
from masklet.server.kept_answers import KeptAnswers
from masklet.server.limits import Limits
from masklet.server.problems import of_full_disk
from masklet.server.projects import Project, Projects
from masklet.server.repeats import Repeats

FULL = (OSError(errno.ENOSPC, "No space left on device"), sqlite3.OperationalError("database or disk is full"))


@pytest.mark.parametrize("error", FULL)
def test_which_errors_mean_it(error: Exception) -> None:
    problem = of_full_disk(error)
    assert problem is not None
    assert (problem.status_code, problem.code) == (507, "disk_full")


@pytest.mark.parametrize("error", [OSError(errno.EIO, "x"), sqlite3.OperationalError("locked"), ValueError("full")])
def test_which_do_not(error: Exception) -> None:
    assert of_full_disk(error) is None


@pytest.mark.parametrize("error", FULL)
def test_commands(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(handling: object, command: object) -> None:
        raise error

    monkeypatch.setitem(dispatch._HANDLERS, "undo", fails)
    reply = dispatch.handled(cast(Handling, SimpleNamespace(n=7)), dispatch.parsed('{"do": "undo", "n": 7}'))
    assert reply.error is not None
    assert (reply.re, reply.ok, reply.error.code) == (7, False, "disk_full")


@pytest.mark.parametrize("error", FULL)
def test_jobs(error: Exception, projects: Projects, project: Project) -> None:
    class Fails:
        def run(self, job: Job) -> None:
            raise error

    book = JobBook(projects, Limits())
    job = book.start("ann", project, "track", Fails(), None, lambda job: None)
    assert job.ended.wait(20)
    book.close()
    assert (job.state, job.error) == ("failed", "The disk of the server is full; nothing was changed.")


def test_a_job_whose_end_cannot_be_stored_lets_the_next_one_begin(
    projects: Projects, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Nothing:
        def run(self, job: Job) -> None:
            """Do it."""

    book = JobBook(projects, Limits(running_jobs_per_user=1))
    stored = Job.store

    def storing(job: Job, connection: Any) -> None:
        if job.number == 1:
            raise FULL[1]
        stored(job, connection)

    monkeypatch.setattr(Job, "store", storing)
    jobs = [book.start("ann", project, "track", Nothing(), None, lambda job: None) for _ in range(2)]
    assert all(job.ended.wait(20) for job in jobs)
    book.close()
    assert [job.state for job in jobs] == ["failed", "done"]
    assert book.of("ann")[1].state == "failed"


def test_requests_with_a_key() -> None:
    class Full:
        def begin(self, key: object) -> bool:
            raise FULL[1]

    async def unreached(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError

    repeats = Repeats(unreached, cast(KeptAnswers, Full()))

    async def gate(scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"] = {"user": "ann"}
        await repeats(scope, receive, send)

    assert TestClient(gate).post("/x", headers={"Idempotency-Key": "a"}).status_code == 507
