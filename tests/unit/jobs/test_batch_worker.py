"""What becomes of a job: done, failed, poison, stopped; and what of it another process finds."""

import errno
import json
import os
import shutil
import threading
from collections import namedtuple
from collections.abc import Mapping
from concurrent.futures import BrokenExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.unit.jobs import stub_batches
from tests.unit.jobs.stub_batches import batch_of, worker_in

from masklet.errors import InvalidInputError, UnreadableVideoError
from masklet.jobs import batch_folder, batch_worker
from masklet.jobs.batch import done_jobs, open_jobs
from masklet.jobs.batch_folder import BatchFolder, JobRecord, Status
from masklet.jobs.batch_jobs import BatchJob
from masklet.jobs.worker_processes import process_lanes


def begun_twice(folder: Path, job_id: str, fingerprint: str) -> JobRecord:
    """What is known of a job of which two processes died."""
    return JobRecord(job_id, fingerprint, Status.BEGUN, attempts=2, worker="elsewhere:1")


def test_results_appear_whole_and_are_not_made_again(tmp_path: Path) -> None:
    (job,) = batch_of(tmp_path, {"a": "hello"})
    worker = worker_in(tmp_path)
    first = worker(job)
    assert (first.status, first.frames, first.attempts) == (Status.DONE, 5, 0)
    assert sorted(each.name for each in (tmp_path / "OUT").iterdir()) == [".batch", "a"]
    (tmp_path / "a.mp4").write_text("broken")
    assert worker_in(tmp_path)(job) == first


def test_an_error_costs_its_job_only_and_is_tried_again_once_it_is_asked_for(tmp_path: Path) -> None:
    broken, whole = batch_of(tmp_path, {"b": "broken", "a": "hello"})
    worker = worker_in(tmp_path)
    assert (worker(broken).status, worker(broken).error) == (Status.FAILED, "ValueError: it is broken")
    assert worker(whole).status is Status.DONE
    (tmp_path / "b.mp4").write_text("mended")
    assert worker(broken).status is Status.FAILED
    assert worker_in(tmp_path, retry_failed=True)(broken) == worker(broken)
    assert (worker(broken).status, worker(broken).error) == (Status.DONE, "")


def test_a_failure_is_kept_until_the_job_is_begun_again(tmp_path: Path) -> None:
    (job,) = batch_of(tmp_path, {"a": "broken"})
    failed = worker_in(tmp_path)(job)
    wrong = worker_in(tmp_path, retry_failed=True, version="missing")
    with pytest.raises(InvalidInputError, match="no such model"):
        wrong(job)
    assert wrong.folder.record(job) == failed


def test_what_failed_meanwhile_is_not_done_again_unasked(tmp_path: Path) -> None:
    jobs = batch_of(tmp_path, {"a": "broken"})
    worker = worker_in(tmp_path)
    left = open_jobs(worker.folder, jobs)
    failed = worker_in(tmp_path)(jobs[0])
    (tmp_path / "a.mp4").write_text("mended")
    assert list(done_jobs(left, process_lanes([worker]))) == [failed]


def test_a_job_of_which_two_processes_died_is_not_begun_again(tmp_path: Path) -> None:
    (job,) = batch_of(tmp_path, {"a": "deadly"})
    worker = worker_in(tmp_path)
    worker.folder.keep(begun_twice(tmp_path, job.id, job.fingerprint))
    record = worker(job)
    assert (record.status, record.attempts) == (Status.POISON, 2)
    assert "2 processes" in record.error


def test_a_death_does_not_count_if_the_session_was_saved_since_the_work_began(tmp_path: Path) -> None:
    (job,) = batch_of(tmp_path, {"a": "hello"})
    worker = worker_in(tmp_path)
    worker.folder.keep(begun_twice(tmp_path, job.id, job.fingerprint))
    session = tmp_path / "OUT/a.part/a_session/session.json"
    session.parent.mkdir(parents=True)
    session.write_text("{}")
    later = (tmp_path / "OUT/.batch/a/record.json").stat().st_mtime_ns + 10**9
    os.utime(session, ns=(later, later))
    assert worker(job).status is Status.DONE


@pytest.mark.parametrize(("content", "error"), [("interrupted", KeyboardInterrupt), ("full", OSError)])
def test_what_is_no_fault_of_the_job_ends_the_work_and_counts_no_attempt(
    tmp_path: Path, content: str, error: type[BaseException]
) -> None:
    (job,) = batch_of(tmp_path, {"a": content})
    worker = worker_in(tmp_path)
    for _ in range(3):
        with pytest.raises(error):
            worker(job)
    assert (worker.folder.record(job).status, worker.folder.record(job).attempts) == (Status.OPEN, 0)


def test_what_filled_the_disk_makes_room_for_the_note_that_the_attempt_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (job,) = batch_of(tmp_path, {"a": "full"})
    worker = worker_in(tmp_path)
    session = worker.folder.part(job.id) / "a_session/session.json"
    session.parent.mkdir(parents=True)
    session.touch()
    worker.folder.keep(replace(begun_twice(tmp_path, job.id, job.fingerprint), attempts=1))
    write = batch_folder._write

    def written(path: Path, content: object) -> None:
        if (worker.folder.part(job.id) / "half.txt").exists():
            raise OSError(errno.ENOSPC, "No space left on device")
        write(path, content)

    monkeypatch.setattr(batch_folder, "_write", written)
    with pytest.raises(OSError, match="No space left"):
        worker(job)
    assert (worker.folder.record(job).status, worker.folder.record(job).attempts) == (Status.OPEN, 1)
    assert session.exists()


def test_nothing_is_begun_on_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (job,) = batch_of(tmp_path, {"a": "hello"})
    worker = worker_in(tmp_path)
    usage = namedtuple("usage", "free")(2**20)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(OSError, match="No space left"):
        worker(job)
    assert worker.folder.record(job).attempts == 0


def test_a_job_that_another_process_holds_is_left_to_it(tmp_path: Path) -> None:
    (job,) = batch_of(tmp_path, {"a": "hello"})
    worker = worker_in(tmp_path)
    with worker.folder.held(job) as is_held:
        assert is_held
        assert worker_in(tmp_path)(job).status is Status.HELD
    assert worker(job).status is Status.DONE


def test_other_versions_and_models_are_named_and_refused(tmp_path: Path) -> None:
    one, other = batch_of(tmp_path, {"a": "hello", "b": "hello"})
    worker_in(tmp_path)(one)
    with pytest.raises(InvalidInputError, match="made otherwise \\(masklet: '1', now '2'\\)"):
        worker_in(tmp_path, version="2")(other)


def test_results_that_count_although_nobody_lived_to_note_it(tmp_path: Path) -> None:
    (job,) = batch_of(tmp_path, {"a": "hello"})
    worker = worker_in(tmp_path)
    done = worker(job)
    worker.folder.keep(begun_twice(tmp_path, job.id, job.fingerprint))
    for record in (worker.folder.record(job), worker.folder.records()["a"]):
        assert (record.status, record.frames) == (done.status, done.frames)


def test_a_job_that_was_edited_keeps_nothing_of_the_one_before(tmp_path: Path) -> None:
    (job,) = batch_of(tmp_path, {"a": "broken"})
    worker = worker_in(tmp_path)
    worker(job)
    left = tmp_path / "OUT/a.part/left.txt"
    left.parent.mkdir()
    left.write_text("of the first")
    (tmp_path / "a.mp4").write_text("hello")
    edited = type(job)(job.id, job.medium, job.folder, job.is_video, job.prompts, {"ids": True})
    assert worker(edited).status is Status.DONE
    assert sorted(each.name for each in (tmp_path / "OUT/a").iterdir()) == ["copy.txt", "job.jsonl"]
    with pytest.raises(InvalidInputError, match=r"results of another job.*options"):
        worker(job)


@pytest.mark.parametrize(
    "change", [{"status": "lost"}, {"attempts": -1}, {"seconds": "1"}, {"frames": 0.5}, {"id": "b"}, {"more": 1}]
)
def test_records_that_are_none_are_named(tmp_path: Path, change: dict[str, object]) -> None:
    (job,) = batch_of(tmp_path, {"a": "hello"})
    worker = worker_in(tmp_path)
    worker(job)
    path = tmp_path / "OUT/.batch/a/record.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(InvalidInputError, match=r"record\.json is no record of a job"):
        worker.folder.record(job)
    assert worker.folder.records()["a"].status is Status.FAILED


def test_results_are_on_the_disk_before_they_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced, renamed, replace = set(), [], os.replace

    def do(self: object, job: BatchJob, folder: Path) -> int:
        (folder / "masks").mkdir(parents=True)
        (folder / "masks/0.png").write_text("a mask")
        return 1

    def noted(source: Any, target: Any) -> None:
        if Path(target) == tmp_path / "OUT/a":
            renamed.extend(each.stat().st_ino for each in (Path(source), *Path(source).rglob("*")))
        replace(source, target)

    monkeypatch.setattr(stub_batches.Copying, "do", do)
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.add(os.fstat(descriptor).st_ino))
    monkeypatch.setattr(os, "replace", noted)
    (job,) = batch_of(tmp_path, {"a": "hello"})
    assert worker_in(tmp_path)(job).status is Status.DONE
    assert len(renamed) == len(("a.part", "masks", "0.png", "job.jsonl"))
    assert set(renamed) <= synced
    assert {path.stat().st_ino for path in (tmp_path / "OUT/.batch").glob("*.json")} <= synced


def test_what_a_killed_attempt_left_is_in_no_result_but_its_session_stays(tmp_path: Path) -> None:
    (job,) = batch_of(tmp_path, {"a": "hello"})
    worker = worker_in(tmp_path)
    worker.folder.keep(JobRecord(job.id, job.fingerprint, Status.BEGUN, attempts=1, worker="gone:1"))
    for left in (
        "a.part/.unfinished-1/a.json",
        "a.part/a_masks/.unfinished-2/0.png",
        "a.part/a_session/session.json",
        ".batch/a/.unfinished-3/record.json",
    ):
        (path := tmp_path / "OUT" / left).parent.mkdir(parents=True)
        path.touch()
    assert worker(job).status is Status.DONE
    assert sorted(each.name for each in (tmp_path / "OUT/a").iterdir()) == ["a_session", "copy.txt", "job.jsonl"]
    assert not [each for each in (tmp_path / "OUT/.batch/a").iterdir() if "unfinished" in each.name]


def test_a_device_that_fails_ends_the_worker_and_counts_as_its_death(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_worker, "OF_THE_DEVICE", ZeroDivisionError)
    monkeypatch.setattr(stub_batches.Copying, "do", lambda *_: 1 // 0)
    (job,) = batch_of(tmp_path, {"a": "hello"})
    worker = worker_in(tmp_path)
    for attempts in (1, 2):
        with pytest.raises(BrokenExecutor, match="ZeroDivisionError"):
            worker(job)
        worker.abandon()  # as when its process is ended
        assert (worker.folder.record(job).status, worker.folder.record(job).attempts) == (Status.BEGUN, attempts)
    assert worker(job).status is Status.POISON


@pytest.mark.parametrize("is_emptied", [False, True])
def test_a_job_does_not_fail_if_the_disk_of_its_medium_is_gone(tmp_path: Path, is_emptied: bool) -> None:
    (media := tmp_path / "media").mkdir()
    one, other = batch_of(media, {"a": "hello", "b": "hello"})
    worker = worker_in(tmp_path)
    one.path.unlink()
    assert worker(one).status is Status.FAILED  # the disk is there
    shutil.rmtree(media)
    if is_emptied:  # as a place where nothing is mounted
        media.mkdir()
    with pytest.raises(FileNotFoundError):
        worker(other)
    assert (worker.folder.record(other).status, worker.folder.record(other).attempts) == (Status.OPEN, 0)


def test_a_job_does_not_fail_if_too_many_files_are_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def do(self: object, job: BatchJob, folder: Path) -> int:
        raise UnreadableVideoError("Cannot read the video") from OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(stub_batches.Copying, "do", do)
    (job,) = batch_of(tmp_path, {"a": "hello"})
    worker = worker_in(tmp_path)
    with pytest.raises(UnreadableVideoError):
        worker(job)
    assert worker.folder.record(job).status is Status.OPEN


def test_of_two_that_begin_at_once_with_other_settings_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, refused, write = worker_in(tmp_path).folder, [], batch_folder._write

    def other() -> None:
        with pytest.raises(InvalidInputError) as error:
            BatchFolder(folder.path).agree({"torch": "other"})
        refused.append(str(error.value))

    thread = threading.Thread(target=other)

    def meanwhile(path: Path, content: Mapping[str, Any]) -> None:
        """Write what the first found missing, when the other one has looked as well, or waits."""
        monkeypatch.setattr(batch_folder, "_write", write)
        thread.start()
        thread.join(0.3)
        write(path, content)

    monkeypatch.setattr(batch_folder, "_write", meanwhile)
    folder.agree({"torch": "one"})
    thread.join()
    assert "torch: 'one', now 'other'" in refused[0]
