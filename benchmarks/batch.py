"""What a batch costs, and what it stands: `python -m benchmarks.batch [--ways processes ray ...]`.

200 short synthetic videos and 3 broken files go through one process, two processes, two shards and two workers of Ray
(in an environment with the extra `ray`). Each way but the first is done again with a video more, which kills its
worker, while workers and drivers are killed at random (kill -9); where a driver died the same command is given again.
All results have to be those of the one process, byte for byte. `--memory` measures the driver over 100,000 jobs whose
work is nothing, with `ray` among the ways over 20,000 on Ray, too.

Writes `benchmarks/results/batch.json`, of which ways that are not asked for are kept.
"""

import argparse
import json
import multiprocessing
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.batch_driver import DEADLY, Nothing
from benchmarks.measuring import machine, write_report
from masklet import write_video
from masklet.jobs.batch_folder import BatchFolder, JobRecord, Status
from masklet.jobs.lanes import Lane, SharedOut
from masklet.jobs.ray_cluster import ray_cluster
from masklet.jobs.worker_processes import process_lanes

RESULTS = Path(__file__).parent / "results" / "batch.json"
VIDEOS, FRAMES, SIDE = 200, 6, 64
BROKEN = {"broken_text": b"no video", "broken_empty": b"", "broken_half": None}
WAYS = {"process": [["--workers", "1"]], "processes": [["--workers", "2"]]}
WAYS |= {"shards": [["--shard", "1/2"], ["--shard", "2/2"]], "ray": [["--ray", "local", "--workers", "2"]]}
DRIVER = "from benchmarks.batch_driver import drive; drive()"
KILLS = {"processes": 8, "shards": 4, "ray": 8}
STUB_JOBS, STUB_JOBS_ON_RAY = 100_000, 20_000


def write_jobs(folder: Path) -> None:
    """Write the media, and the files of jobs with and without the deadly one."""
    rng = np.random.default_rng(0)
    lines = []
    for name in [f"video{number:03}" for number in range(VIDEOS)] + [*BROKEN, DEADLY]:
        left, top, *color = (int(each) for each in rng.integers(4, 30, 5))
        with write_video(path := folder / f"{name}.mp4", SIDE, SIDE, 10) as out:
            for frame in range(FRAMES):
                pixels = np.full((SIDE, SIDE, 3), 40, np.uint8)
                pixels[top : top + 24, left + frame : left + frame + 24] = [8 * each for each in color]
                out.write(pixels)
        if name in BROKEN:
            content = BROKEN[name]
            path.write_bytes(path.read_bytes()[:400] if content is None else content)
        prompts = [{"points": [[left + 12, top + 12]]}]
        lines.append(json.dumps({"video": path.name, "prompts": prompts, "options": {"write": ["label-maps"]}}))
    (folder / "jobs.jsonl").write_text("\n".join(lines[:-1]))
    (folder / "deadly.jsonl").write_text("\n".join(lines))


class Batch:
    """The commands of a way, and what becomes of them."""

    def __init__(self, jobs: Path, out: Path, way: str) -> None:
        self.folder, self._jobs, self._way = BatchFolder(out), jobs, way
        self._log = (out.parent / f"{out.name}.log").open("ab")
        self.drivers = [self._driver(number) for number in range(len(WAYS[way]))]

    def _driver(self, number: int) -> "subprocess.Popen[bytes]":
        how = ["--image-size", "128", "--device", "cpu", "-o", str(self.folder.path), *WAYS[self._way][number]]
        command = [sys.executable, "-c", DRIVER, "batch", str(self._jobs), *how]
        return subprocess.Popen(command, stdout=self._log, stderr=self._log, start_new_session=True)

    def begun(self) -> list[JobRecord]:
        """The jobs at work."""
        known = self.folder.records().values() if self.folder.mark.is_file() else ()
        return [each for each in known if each.status is Status.BEGUN]

    def wait(self) -> None:
        """Wait until all drivers have ended; those that were killed are started again, and what others held is done."""
        while True:
            for number, driver in enumerate(self.drivers):
                if driver.wait() not in (0, 1):
                    self.drivers[number] = self._driver(number)
                    break
            else:
                if not self.begun():
                    return
                self.drivers[0] = self._driver(0)

    def kill(self, count: int, seed: int) -> dict[str, int]:
        """Kill so many, a third of them drivers, and no job twice, as it would be poison; return how many of each."""
        chance, killed, hit = random.Random(seed), {"workers": 0, "drivers": 0}, {DEADLY}
        while sum(killed.values()) < count:
            time.sleep(chance.uniform(0.2, 2))
            ended = [number for number, driver in enumerate(self.drivers) if driver.poll() is not None]
            if all(self.drivers[number].returncode in (0, 1) for number in ended) and len(ended) == len(self.drivers):
                break
            for number in ended:
                if self.drivers[number].returncode not in (0, 1):
                    self.drivers[number] = self._driver(number)
            if not (at_work := [each for each in self.begun() if each.id not in hit]):
                continue
            if chance.random() < 1 / 3:
                victim = chance.choice([driver for driver in self.drivers if driver.poll() is None] or [None])
                if victim is not None:
                    victim.kill()
                    victim.wait()
                    killed["drivers"] += 1
            else:
                job = chance.choice(at_work)
                pid = int(job.worker.rpartition(":")[2])
                if _is_python(pid):
                    hit.add(job.id)
                    os.kill(pid, signal.SIGKILL)
                    killed["workers"] += 1
        return killed


def _is_python(pid: int) -> bool:
    """Whether there is such a process still, which is a worker."""
    try:
        name = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return b"python" in name or b"ray::" in name


def content(out: Path) -> dict[str, bytes]:
    """All files of results, by their paths."""
    return {str(each.relative_to(out)): each.read_bytes() for each in out.glob("[!.]*/**/*") if each.is_file()}


def measured(jobs: Path, out: Path, way: str) -> dict[str, Any]:
    """Go through all jobs undisturbed; the start-up ends where the first job begins."""
    start = time.time()
    batch = Batch(jobs, out, way)
    batch.wait()
    whole = time.time() - start
    records = list(batch.folder.records().values())
    ended = {each.id: (out / ".batch" / each.id / "record.json").stat().st_mtime for each in records}
    first = min(ended[each.id] - (each.seconds or 0) for each in records)
    work = sum(each.seconds or 0 for each in records)
    workers = 1 if way == "process" else 2
    busy = max(ended.values()) - first
    by = {status.value: sum(each.status is status for each in records) for status in Status}
    return {
        "workers": workers,
        "start_up_s": first - start,
        "jobs_s": busy,
        "closing_s": whole - busy - (first - start),
        "work_a_job_s": work / len(records),
        "overhead_a_job_s": (busy * workers - work) / len(records),
        "became": {name: count for name, count in by.items() if count},
    }


def killed_on_the_way(jobs: Path, out: Path, way: str) -> dict[str, Any]:
    """Go through all jobs while processes are killed."""
    batch = Batch(jobs, out, way)
    killed = batch.kill(KILLS[way], seed=sum(way.encode()))
    batch.wait()
    failed = sorted(each.id for each in batch.folder.records().values() if each.error)
    return {**killed, "failed": failed}


def memory_over_jobs(lanes: Sequence[Callable[[], Lane[int, JobRecord]]], jobs: int) -> dict[str, Any]:
    """Return the driver's peak memory in MiB by how many jobs were done, and what one took: in all, and of the driver.

    In all it is the way there and back of so many lanes; what the driver computes is what more of them cannot share.
    """
    peaks, start, start_of_driver = {}, time.perf_counter(), time.process_time()
    for number, _ in enumerate(SharedOut(lanes, range(1, jobs + 1)).results(), start=1):
        if number in (1, jobs // 100) or number % (jobs // 5) == 0:
            peaks[number] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    took, of_driver = time.perf_counter() - start, time.process_time() - start_of_driver
    return {"driver_mib": peaks, "dispatch_s": took / jobs, "driver_cpu_s": of_driver / jobs}


def memory_on_ray() -> dict[str, Any]:
    """Return the same of two actors, in a process whose peak is its own."""
    with ray_cluster("local") as cluster:
        return memory_over_jobs(cluster.lanes(Nothing(), "cpu", Path.cwd(), 2), STUB_JOBS_ON_RAY)


def run(ways: Sequence[str], *, has_memory: bool) -> dict[str, Any]:
    """Measure the ways, and return what is to be kept."""
    report: dict[str, Any] = {"batches": {}}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_jobs(folder)
        for way in ["process", *ways] if ways else []:
            row = measured(folder / "jobs.jsonl", folder / way, way)
            row["is_identical"] = content(folder / way) == content(folder / "process")
            if way in KILLS:
                killed = killed_on_the_way(folder / "deadly.jsonl", folder / f"{way}_killed", way)
                row["killed"] = killed | {
                    "is_identical": content(folder / f"{way}_killed") == content(folder / "process")
                }
            print(way, json.dumps(row), flush=True)
            report["batches"][way] = row
    if has_memory:
        report |= memory_over_jobs(process_lanes([Nothing(), Nothing()]), STUB_JOBS)
    if has_memory and "ray" in ways:
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            report["on_ray"] = pool.submit(memory_on_ray).result()
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ways", nargs="*", choices=list(KILLS), default=["processes", "shards"], help="beside one")
    parser.add_argument("--memory", action="store_true", help="measure the driver's memory, too")
    parser.add_argument("--output", type=Path, default=RESULTS, help="the JSON file")
    options = parser.parse_args()
    known = json.loads(options.output.read_text()) if options.output.is_file() else {"batches": {}}
    report = run(options.ways, has_memory=options.memory)
    ways = known["batches"] | report.pop("batches")
    command = "python -m benchmarks.batch --memory --ways processes shards ray"
    merged = known | {"command": command, "machine": machine()} | report
    write_report(merged | {"batches": ways}, options.output)


if __name__ == "__main__":
    main()
