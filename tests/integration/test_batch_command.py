"""`masklet batch` as its user calls it: by processes, in shards, killed; the results are those of segment and track."""

import hashlib
import importlib.util
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from PIL import Image
from tests.support.command_errors import assert_one_line
from tests.support.small_video_models import SIZE, small_video_model
from tests.support.video_files import moving_square, write_small_video
from typer.testing import CliRunner, Result

from masklet import Sam2Processor, file_locks
from masklet.cli.exit_codes import ExitCode
from masklet.cli.main import app
from masklet.jobs.batch_folder import BatchFolder, JobRecord, Status
from masklet.jobs.batch_jobs import read_jobs

POINT = [{"points": [[8, 18]]}]
LONG = 40  # frames
JOBS = [
    {"id": "short", "video": "short.mp4", "prompts": POINT, "options": {"write": ["label-maps", "overlay"]}},
    {"id": "long", "video": "long.mp4", "prompts": [{**POINT[0], "frame": 5}], "options": {"direction": "both"}},
    {"id": "image", "image": "image.png", "prompts": [{"box": [2, 8, 20, 28]}], "options": {"multimask": True}},
    {"id": "broken", "video": "broken.mp4", "prompts": POINT},
]


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """Sums are rounded otherwise in another number of threads, and workers have a share of them."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("OMP_NUM_THREADS", "1")
        yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small model, media, and jobs.jsonl."""
    folder = tmp_path_factory.mktemp("here")
    write_small_video(folder / "short.mp4", moving_square(4))
    write_small_video(folder / "long.mp4", moving_square(LONG))
    Image.fromarray(moving_square(1)[0]).save(folder / "image.png")
    (folder / "broken.mp4").write_bytes(b"no video")
    (folder / "jobs.jsonl").write_text("\n".join(map(json.dumps, JOBS)))
    small_video_model().save_pretrained(folder / "model")
    Sam2Processor(size=SIZE).save_pretrained(folder / "model")
    return folder


def masklet(*arguments: object) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)))


def batch(here: Path, out: Path, *more: object) -> list[str]:
    """Return the arguments of a batch."""
    how = ("--model", here / "model", "--device", "cpu", "--save-every", "0.001", "-o", out)
    return list(map(str, ("batch", here / "jobs.jsonl", *how, *more)))


def content(out: Path) -> dict[str, str]:
    """Checksums of all files of results, by their paths."""
    files = (path for path in out.glob("[!.]*/**/*") if path.is_file())
    return {str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def whole(here: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a process has worked that nobody ended."""
    out = tmp_path_factory.mktemp("whole")
    result = masklet(*batch(here, out))
    assert result.exit_code == ExitCode.SOME_FAILED, result.output
    assert "Error: broken: " in result.stderr
    assert "done 3, failed 1" in result.stdout
    return out


def test_results_are_what_segment_and_track_write(here: Path, whole: Path, tmp_path: Path) -> None:
    how = ("--model", here / "model", "--device", "cpu", "-o")
    products = ("--write", "label-maps", "--write", "overlay")
    runs = [
        masklet("track", here / "short.mp4", "--point", "8,18", *products, *how, tmp_path / "short"),
        masklet("track", here / "long.mp4", "--point", "8,18@5", "--direction", "both", *how, tmp_path / "long"),
        masklet("segment", here / "image.png", "--box", "2,8,20,28", "--multimask", *how, tmp_path / "image"),
    ]
    assert [run.exit_code for run in runs] == [0, 0, 0], runs
    made = content(whole)
    assert {name: made[name] for name in content(tmp_path)} == content(tmp_path)
    assert made.keys() - content(tmp_path).keys() == {f"{name}/job.jsonl" for name in ("short", "long", "image")}


def test_results_are_converted_from_where_they_are(here: Path, tmp_path: Path) -> None:
    (here / "videos.jsonl").write_text("\n".join(json.dumps(each) for each in JOBS if each["id"] in ("short", "long")))
    how = ("--model", here / "model", "--device", "cpu", "-o", tmp_path / "out")
    assert masklet("batch", here / "videos.jsonl", *how).exit_code == 0
    converted = masklet("formats", "convert", tmp_path / "out", "--to", "davis", "-o", tmp_path / "davis")
    assert converted.exit_code == 0, converted.output
    assert sorted(each.name for each in (tmp_path / "davis/Annotations").glob("*/*")) == ["long", "short"]


def test_batches_of_images_and_videos_are_not_converted_together(here: Path, whole: Path, tmp_path: Path) -> None:
    result = masklet("formats", "convert", whole, "--to", "davis", "-o", tmp_path / "davis")
    assert_one_line(result, ExitCode.WRONG_USAGE, "is not about results of a batch of images")


def test_two_shards_give_the_same_and_the_last_one_reports_about_all(here: Path, whole: Path, tmp_path: Path) -> None:
    second = masklet(*batch(here, tmp_path, "--shard", "2/2"))
    assert (second.exit_code, "2 jobs: done 1, failed 1" in second.stdout) == (ExitCode.SOME_FAILED, True)
    assert not (tmp_path / "report.html").exists()
    first = masklet(*batch(here, tmp_path, "--shard", "1/2"))
    assert (first.exit_code, "2 jobs: done 2, frames" in first.stdout) == (0, True)
    lines = (tmp_path / "report.jsonl").read_text().splitlines()
    assert [json.loads(line)["status"] for line in lines] == ["done", "done", "done", "failed"]
    assert content(tmp_path) == content(whole)


def test_two_shards_at_once_give_the_same(here: Path, whole: Path, tmp_path: Path) -> None:
    shards = [started(here, tmp_path / "out", "--shard", f"{number}/2") for number in (1, 2)]
    assert [each.wait() for each in shards] == [ExitCode.DONE, ExitCode.SOME_FAILED]
    assert (tmp_path / "out/report.html").exists()
    assert "4 jobs: done 3, failed 1" in masklet("batch", tmp_path / "out", "--status").stdout
    assert content(tmp_path / "out") == content(whole)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no folder here takes no files from an administrator")
def test_an_output_folder_that_takes_no_files_is_refused_before_any_work(here: Path) -> None:
    assert_one_line(masklet(*batch(here, Path("/proc/masklet"))), ExitCode.FILE_PROBLEM, "/proc/masklet")


@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed: pip install 'masklet[ray]'")
def test_two_workers_of_a_ray_cluster_give_the_same(here: Path, whole: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "masklet", *batch(here, tmp_path / "out", "--ray", "local", "--workers", "2")]
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    assert "done 3, failed 1" in ended.stdout, ended.stderr
    assert "Ray" not in ended.stderr
    assert "Token" not in ended.stderr
    assert content(tmp_path / "out") == content(whole)


def test_killed_workers_and_drivers_change_nothing(here: Path, whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with started(here, out, "--workers", "2") as driver:
        killed = begun(out, driver).worker
        os.kill(int(killed.rpartition(":")[2]), signal.SIGKILL)
        until(lambda: record_of(out).worker != killed, "no other worker goes on")
        driver.terminate()
    with started(here, out, "--workers", "2") as driver:
        begun(out, driver)
        driver.kill()
    until(lambda: record_of(out).status is not Status.BEGUN, "the worker does not end with its driver")
    assert record_of(out).attempts < 2
    assert started(here, out, "--workers", "2").wait() == ExitCode.SOME_FAILED
    assert content(out) == content(whole)
    assert not list(out.glob("*.part"))


@pytest.mark.slow
def test_drivers_that_are_killed_at_random_times_change_nothing(here: Path, whole: Path, tmp_path: Path) -> None:
    out, chance, begin = tmp_path / "out", random.Random(21), time.monotonic()
    assert started(here, out, "--workers", "2").wait() == ExitCode.SOME_FAILED
    duration = time.monotonic() - begin
    shutil.rmtree(out)
    for _ in range(10):
        with started(here, out, "--workers", "2") as driver:
            time.sleep(duration * chance.random())
            driver.kill()
    assert started(here, out, "--workers", "2").wait() == ExitCode.SOME_FAILED
    assert content(out) == content(whole)
    assert not list(out.glob("*.part"))


def started(here: Path, out: Path, *more: object) -> "subprocess.Popen[bytes]":
    """Start a batch as a process of its own."""
    command = [sys.executable, "-m", "masklet", *batch(here, out, *more)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def record_of(out: Path) -> JobRecord:
    return JobRecord.read(out / ".batch/long/record.json")


def begun(out: Path, driver: "subprocess.Popen[bytes]") -> JobRecord:
    """Wait until the long job is at work, and return what is known of it."""
    path = out / ".batch/long/record.json"

    def is_at_work() -> bool:
        assert driver.poll() is None, "it ended before it could be killed"
        return path.is_file() and JobRecord.read(path).status is Status.BEGUN

    until(is_at_work, "the long job does not begin")
    return record_of(out)


def until(condition: Callable[[], bool], complaint: str) -> None:
    """Wait until something is so, two minutes at most."""
    for _ in range(12_000):
        if condition():
            return
        time.sleep(0.01)
    pytest.fail(complaint)


def test_status_and_a_dry_run_show_how_far_it_is(here: Path, whole: Path, tmp_path: Path) -> None:
    status = masklet("batch", whole, "--status")
    assert "4 jobs: done 3, failed 1" in status.stdout
    shutil.copytree(whole, out := tmp_path / "out")
    shutil.rmtree(out / "short")
    dry = masklet(*batch(here, out, "--dry-run"))
    assert dry.stdout == f"short\t{here / 'short.mp4'}\n"
    assert re.search("1 jobs are to be done, about .* seconds by 2 done", dry.stderr)
    assert not (out / "short").exists()
    assert_one_line(masklet("batch", tmp_path, "--status"), ExitCode.WRONG_USAGE, "holds no batch")


def test_a_sample_is_spread_over_the_jobs_and_is_the_base_of_the_estimate(here: Path, tmp_path: Path) -> None:
    images = [{"id": str(number), "image": "image.png", "prompts": [{"box": [2, 8, 20, 28]}]} for number in range(6)]
    (here / "images.jsonl").write_text("\n".join(map(json.dumps, images)))
    command = ["batch", str(here / "images.jsonl"), *batch(here, tmp_path / "out")[2:]]
    assert masklet(*command, "--sample", "2").exit_code == 0
    assert {path.name for path in (tmp_path / "out").iterdir() if path.is_dir()} - {".batch"} == {"0", "3"}
    dry = masklet(*command, "--dry-run")
    assert [line.split("\t")[0] for line in dry.stdout.splitlines()] == ["1", "2", "4", "5"]
    assert "by 2 done" in dry.stderr
    assert masklet(*command, "--sample", "9").exit_code == 0
    assert not masklet(*command, "--dry-run").stdout


def test_a_job_that_another_process_holds_is_named_and_no_success(here: Path, tmp_path: Path) -> None:
    (here / "image.jsonl").write_text(json.dumps(JOBS[2]))
    command = ["batch", str(here / "image.jsonl"), *batch(here, tmp_path / "out")[2:]]
    (job,) = read_jobs(here / "image.jsonl")
    with BatchFolder(tmp_path / "out").held(job):
        result = masklet(*command)
    assert (result.exit_code, "open 1" in result.stdout) == (ExitCode.SOME_FAILED, True)
    assert "Error: image: another process is at work on it" in result.stderr
    assert masklet(*command).exit_code == 0


def test_a_disk_without_locks_is_a_warning(here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "image.jsonl").write_text(json.dumps(JOBS[2]))
    command = ["batch", str(here / "image.jsonl"), *batch(here, tmp_path / "out")[2:]]
    assert "Warning" not in masklet(*command).stderr
    monkeypatch.setattr(file_locks, "fcntl", None)
    assert f"Warning: {tmp_path / 'out'} has no locks" in masklet(*command).stderr


def test_what_failed_is_done_again_only_when_that_is_asked_for(here: Path, tmp_path: Path) -> None:
    (here / "mended.png").write_bytes(b"no image")
    (here / "mended.jsonl").write_text(json.dumps({**JOBS[2], "id": "mended", "image": "mended.png"}))
    command = ["batch", str(here / "mended.jsonl"), *batch(here, tmp_path / "out")[2:]]
    assert masklet(*command).exit_code == ExitCode.SOME_FAILED
    shutil.copy(here / "image.png", here / "mended.png")
    assert masklet(*command).exit_code == ExitCode.SOME_FAILED
    assert "done 1" in masklet(*command, "--retry-failed").stdout
    assert masklet(*command).exit_code == 0


def test_changed_jobs_models_and_shards_are_refused(here: Path, whole: Path, tmp_path: Path) -> None:
    assert_one_line(masklet(*batch(here, whole, "--shard", "3/2")), ExitCode.WRONG_USAGE, "Shards are 1/2 to 2/2")
    assert_one_line(masklet(*batch(here, whole, "--shard", "2")), ExitCode.WRONG_USAGE, "--shard 2 is not of the form")
    changed = [{**JOBS[0], "prompts": [{"points": [[9, 18]]}]}, *JOBS[1:]]
    (here / "changed.jsonl").write_text("\n".join(map(json.dumps, changed)))
    refused = masklet("batch", here / "changed.jsonl", *batch(here, whole)[2:])
    assert_one_line(refused, ExitCode.WRONG_USAGE, "short holds the results of another job")
    shutil.copytree(here, other := tmp_path / "other")
    assert_one_line(masklet(*batch(other, whole)), ExitCode.WRONG_USAGE, "other may have the same names")
