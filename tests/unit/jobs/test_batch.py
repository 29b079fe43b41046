"""A batch through worker processes: in shards, with deaths, and its report."""

import base64
import io
import json
import re
import shutil
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from tests.unit.jobs.stub_batches import MOST_ASKED, CopyingChoice, batch_of, worker_in

from masklet.errors import InvalidInputError
from masklet.jobs.batch import done_jobs, open_jobs
from masklet.jobs.batch_folder import MOST_ATTEMPTS, BatchFolder, JobRecord, Status
from masklet.jobs.batch_jobs import read_jobs
from masklet.jobs.batch_report import BatchSummary, write_report
from masklet.jobs.batch_worker import OF_THE_DEVICE, BatchWorker
from masklet.jobs.run import shard_of
from masklet.jobs.worker_processes import process_lanes

CONTENTS = {"a": "hello", "b": "deadly", "c": "broken", "d": "a longer one", "e": "hi"}


def test_a_broken_and_a_deadly_job_cost_only_themselves(tmp_path: Path) -> None:
    jobs = batch_of(tmp_path, CONTENTS)
    worker = worker_in(tmp_path)
    lanes = process_lanes([worker, worker])
    became = {each.id: each.status for each in done_jobs(open_jobs(worker.folder, jobs), lanes)}
    done = dict.fromkeys("ade", Status.DONE)
    assert became == {**done, "b": Status.POISON, "c": Status.FAILED}
    assert open_jobs(worker.folder, jobs) == []
    assert [each.id for each in open_jobs(worker.folder, jobs, retry_failed=True)] == ["b", "c"]


def test_processes_that_are_asked_to_end_are_no_deaths_of_their_job(tmp_path: Path) -> None:
    (job,) = batch_of(tmp_path, {"a": "pre-empted"})
    worker = worker_in(tmp_path)
    (record,) = done_jobs([job], process_lanes([worker]))
    assert (record.status, record.error) == (Status.DONE, "")
    assert len(list(tmp_path.glob("asked*"))) == MOST_ASKED > MOST_ATTEMPTS


def test_a_job_that_another_process_held_is_done_once_all_others_have_ended(tmp_path: Path) -> None:
    jobs = batch_of(tmp_path, {"a": "held", "b": "hello", "c": "hi"})
    worker = worker_in(tmp_path)
    with ExitStack() as holding:
        assert holding.enter_context(worker.folder.held(jobs[0]))
        became = {}
        for record in done_jobs(jobs, process_lanes([worker])):
            became[record.id] = record.status
            if len(became) == 2:
                holding.close()
    assert became == dict.fromkeys("bca", Status.DONE)


def test_a_job_that_another_process_goes_on_holding_is_named_and_left_to_it(tmp_path: Path) -> None:
    jobs = batch_of(tmp_path, {"a": "held", "b": "hello"})
    worker = worker_in(tmp_path)
    worker.folder.keep(JobRecord(jobs[0].id, jobs[0].fingerprint, Status.BEGUN, attempts=1, worker="elsewhere:1"))
    with worker.folder.held(jobs[0]):
        done, held = done_jobs(jobs, process_lanes([worker, worker]))
    assert (done.id, done.status) == ("b", Status.DONE)
    assert (held.id, held.status) == ("a", Status.HELD)
    assert "another process is at work on it (elsewhere:1)" in held.error


@pytest.mark.skipif(not OF_THE_DEVICE, reason="before torch 2.8 such errors have no kind of their own")
def test_after_a_fault_of_its_device_another_process_does_the_job(tmp_path: Path) -> None:
    jobs = batch_of(tmp_path, {"a": "sick", "b": "hi"})
    worker = worker_in(tmp_path)
    assert [each.status for each in done_jobs(jobs, process_lanes([worker]))] == [Status.DONE] * 2


def test_the_report_has_a_line_a_job_and_its_page_every_failure(tmp_path: Path) -> None:
    jobs = batch_of(tmp_path, {"a": "hello", "c": "broken", "z": "never begun"})
    worker = worker_in(tmp_path)
    for job in jobs[:2]:
        worker(job)
    summary = write_report(worker.folder)
    lines = [json.loads(line) for line in (tmp_path / "OUT/report.jsonl").read_text().splitlines()]
    assert [(each["id"], each["status"]) for each in lines] == [("a", "done"), ("c", "failed"), ("z", "open")]
    assert "ValueError: it is broken" in (tmp_path / "OUT/report.html").read_text()
    assert (summary.failed, summary.frames, summary.counts[Status.OPEN]) == (1, 5, 1)
    assert BatchSummary.of(worker.folder.records().values()) == summary


def test_the_page_shows_errors_about_names_that_are_no_text(tmp_path: Path) -> None:
    (job,) = batch_of(tmp_path, {"a": "hello"})
    worker = worker_in(tmp_path)
    worker.folder.keep(JobRecord(job.id, job.fingerprint, Status.FAILED, error="caf\udce9.mp4 is <broken>"))
    write_report(worker.folder)
    assert r"caf\udce9.mp4 is &lt;broken&gt;" in (tmp_path / "OUT/report.html").read_text(encoding="utf-8")


def test_the_page_shows_what_was_drawn_and_how_fast_it_was(tmp_path: Path) -> None:
    jobs = batch_of(tmp_path, {"a": "hello", "b": "no image"})
    worker = worker_in(tmp_path)
    for job in jobs:
        worker.folder.keep(replace(worker(job), seconds=2.0))
    Image.new("RGB", (400, 300)).save(tmp_path / "OUT/a/a_overlay.png")
    (tmp_path / "OUT/b/b_overlay.png").write_bytes(b"no image")
    write_report(worker.folder)
    page = (tmp_path / "OUT/report.html").read_text()
    assert page.count("<figure>") == 2
    (drawn,) = re.findall("data:image/jpeg;base64,([^']*)'", page)
    assert Image.open(io.BytesIO(base64.b64decode(drawn))).size == (180, 135)
    assert "<th>frames a second of a worker</th><td>3.25</td>" in page  # 5 and 8 letters in 4 seconds


def test_what_is_shown_is_what_is_done_next(tmp_path: Path) -> None:
    jobs = batch_of(tmp_path, {"a": "hello", "b": "broken", "c": "hi", "d": "hi"})
    worker = worker_in(tmp_path)
    for job in jobs:
        worker(job)
    shutil.rmtree(tmp_path / "OUT/a")
    edited = replace(jobs[1], options={"ids": True})
    in_the_way = replace(jobs[2], options={"ids": True})
    worker.folder.begin([jobs[0], edited, in_the_way])
    shown = worker.folder.records()
    assert {name: each.status for name, each in shown.items()} == {
        "a": Status.OPEN,
        "b": Status.OPEN,
        "c": Status.FAILED,
    }
    assert (shown["b"].error, "holds the results of another job" in shown["c"].error) == ("", True)
    assert not worker.folder.is_finished()
    assert [each.id for each in open_jobs(worker.folder, [jobs[0], edited])] == ["b", "a"]


def test_media_of_another_folder_are_refused_unless_they_or_the_results_were_moved(tmp_path: Path) -> None:
    for name in ("disk/day1", "disk/day2"):
        (tmp_path / name).mkdir(parents=True)
    first, second = (batch_of(tmp_path / "disk" / day, {"cam0": "hello"}) for day in ("day1", "day2"))
    folder = BatchFolder(tmp_path / "disk/OUT")
    folder.begin(first)
    BatchWorker(folder, CopyingChoice())(first[0])
    with pytest.raises(InvalidInputError, match=r"the media in .*day1; those in .*day2 may have the same names"):
        open_jobs(folder, second)
    in_full = [replace(each, id="other", medium=str(each.path)) for each in second]
    assert open_jobs(folder, in_full) == in_full
    assert open_jobs(BatchFolder(folder.path.rename(tmp_path / "OUT")), first) == []
    (tmp_path / "OUT").rename(folder.path)
    moved = (tmp_path / "disk").rename(tmp_path / "other")
    assert open_jobs(BatchFolder(moved / "OUT"), read_jobs(moved / "day1/jobs.jsonl")) == []


def test_shards_are_all_jobs_and_none_twice(tmp_path: Path) -> None:
    jobs = batch_of(tmp_path, CONTENTS)
    shards = [shard_of(jobs, number, 3) for number in (1, 2, 3)]
    assert [[each.id for each in shard] for shard in shards] == [["a", "d"], ["b", "e"], ["c"]]
    with pytest.raises(InvalidInputError, match="1/3 to 3/3; got 0/3"):
        shard_of(jobs, 0, 3)


def test_longer_media_are_begun_first_and_missing_ones_named(tmp_path: Path) -> None:
    jobs = batch_of(tmp_path, CONTENTS)
    folder = worker_in(tmp_path).folder
    assert [each.id for each in open_jobs(folder, jobs)] == ["d", "b", "c", "a", "e"]
    (tmp_path / "a.mp4").unlink()
    with pytest.raises(InvalidInputError, match=r"do not exist: .*a\.mp4\."):
        open_jobs(folder, jobs)
