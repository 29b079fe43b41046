"""Items as a job: found again, shared by processes, ended on request, called from a thread."""

import os
import signal
import threading
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.unit.jobs.letters import NAMES, Number, journal

from masklet.errors import InvalidInputError
from masklet.jobs.run import Ending, ItemJob

ALL = {"a": Number(97), "b": Number(98), "c": Number(99)}


class Work:
    """Makes numbers, remembers of what, and fails at `fails_at`."""

    def __init__(self, fails_at: str = "") -> None:
        self.asked: list[str] = []
        self.fails_at = fails_at

    def __call__(self, name: str) -> Number:
        if name == self.fails_at:
            raise KeyboardInterrupt
        self.asked.append(name)
        return Number(ord(name))


def deadly(name: str) -> Number:
    """Kills the process that works on "b", as a system short of memory does."""
    if name == "b":
        os.kill(os.getpid(), signal.SIGKILL)
    return Number(ord(name))


def deadly_once(mark: str, name: str) -> Number:
    """Kills the first process that works on "b"."""
    if name == "b" and not Path(mark).exists():
        Path(mark).touch()
        return deadly(name)
    return Number(ord(name))


def faulty(name: str) -> Number:
    raise OSError(f"{name} cannot be read")


def run(work: Any, folder: Path | None = None, **options: Any) -> tuple[ItemJob[Number], Ending]:
    job = ItemJob(NAMES, work, None if folder is None else journal(folder))
    return job, job.run(**options)


def test_what_was_finished_before_an_interruption_is_not_done_again(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(Work(fails_at="c"), tmp_path)
    again, steps = Work(), []
    job, ending = run(again, tmp_path, on_item=lambda *step: steps.append(step))
    assert (job.results, ending, again.asked, steps) == (ALL, Ending(is_finished=True), ["c"], [(2, 3), (3, 3)])


def test_it_ends_on_request_after_an_item(tmp_path: Path) -> None:
    job, ending = run(Work(), tmp_path, should_stop=lambda: True)
    assert (list(job.results), ending) == (["a"], Ending(is_finished=False))
    run(Work(), tmp_path, should_stop=lambda: True)
    job, ending = run(again := Work(), tmp_path, should_stop=lambda: True)  # asked when nothing is left, it is finished
    assert (job.results, ending, again.asked) == (ALL, Ending(is_finished=True), ["c"])


def test_several_processes_do_the_same_from_a_thread() -> None:
    done: list[Any] = []
    steps: list[tuple[int, int]] = []

    def work() -> None:
        done.append(run(Work(), workers=2, on_item=lambda *step: steps.append(step)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    ((job, ending),) = done
    assert (job.results, ending) == (ALL, Ending(is_finished=True))
    assert steps == [(number, 3) for number in range(4)]


def test_what_a_worker_raises_arrives_here() -> None:
    with pytest.raises(OSError, match="cannot be read"):
        run(faulty, workers=2)


def test_what_a_killed_worker_was_at_goes_to_another(tmp_path: Path) -> None:
    job, ending = run(partial(deadly_once, str(tmp_path / "killed")), workers=2)
    assert (job.results, ending) == (ALL, Ending(is_finished=True))


def test_two_killed_at_one_item_end_the_job_and_what_was_finished_is_kept(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="2 workers ended at b, for lack of memory"):
        run(deadly, tmp_path, workers=2)
    assert run(Work(), tmp_path)[0].results == ALL


def test_no_worker_is_too_few() -> None:
    with pytest.raises(InvalidInputError, match="At least one worker"):
        run(Work(), workers=0)
