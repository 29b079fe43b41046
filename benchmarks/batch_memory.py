"""What the driver of a batch holds over many jobs: `python -m benchmarks.batch_memory [--jobs 100000]`.

With so many jobs all is done that `masklet batch` does: the file of jobs is read, the folder of results looked
through, the jobs are shared out to two processes, and the report is written. Only their work is next to nothing, a
drawing of a few pixels. The folder is one of the memory's where the system has such a place: what is measured is the
driver, and not the disk. Writes `benchmarks/results/batch_memory.json`.
"""

import argparse
import io
import json
import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from PIL import Image

from benchmarks.measuring import machine
from masklet.jobs.batch import done_jobs, open_jobs
from masklet.jobs.batch_folder import BatchFolder, JobRecord, Status
from masklet.jobs.batch_jobs import BatchJob, read_jobs
from masklet.jobs.batch_report import write_report
from masklet.jobs.batch_worker import BatchWorker
from masklet.jobs.worker_processes import process_lanes

Made = TypeVar("Made")

RESULTS = Path(__file__).parent / "results" / "batch_memory.json"
IN_MEMORY = Path("/dev/shm")
PROMPTS = [{"points": [[320, 200], [350, 240, 0]]}, {"box": [15, 80, 310, 400]}]


@dataclass(frozen=True)
class Drawing:
    """Stands for a model: draws the same for each job."""

    drawn: bytes
    settings: Mapping[str, Any] = field(default_factory=lambda: {"masklet": "a stub"})

    def do(self, job: BatchJob, folder: Path) -> int:
        folder.mkdir(exist_ok=True)
        (folder / f"{job.path.stem}_overlay.png").write_bytes(self.drawn)
        return 1


@dataclass(frozen=True)
class DrawingChoice:
    """Stands for the choice of a model."""

    device: str = "cpu"

    def on(self, device: str) -> "DrawingChoice":
        return DrawingChoice(device)

    def load(self) -> Drawing:
        Image.new("RGB", (64, 48), (40, 90, 200)).save(buffer := io.BytesIO(), format="PNG")
        return Drawing(buffer.getvalue())


@dataclass
class Phases:
    """What the parts of the driver's work took, and its peak memory after each."""

    rows: list[dict[str, Any]] = field(default_factory=list)

    def measured(self, name: str, work: Callable[[], Made]) -> Made:
        """Do a part, and keep what it took."""
        start = time.perf_counter()
        made = work()
        seconds = time.perf_counter() - start
        self.rows.append({"phase": name, "seconds": seconds, "peak_mib": peak_mib()})
        print(json.dumps(self.rows[-1]), flush=True)
        return made


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def write_jobs(folder: Path, count: int) -> Path:
    """Write a file of so many jobs, all on one image."""
    Image.new("RGB", (640, 480)).save(folder / "image.png")
    lines = (json.dumps({"id": f"{each:06}", "image": "image.png", "prompts": PROMPTS}) for each in range(count))
    (folder / "jobs.jsonl").write_text("\n".join(lines))
    return folder / "jobs.jsonl"


def curve(records: Iterator[JobRecord], count: int) -> dict[int, float]:
    """Return the driver's peak memory by how many jobs were done."""
    peaks = {}
    for number, record in enumerate(records, start=1):
        assert record.status is Status.DONE, record
        if number in (1, count // 100) or number % (count // 5) == 0:
            peaks[number] = peak_mib()
    return peaks


def run(place: Path, count: int) -> dict[str, Any]:
    """Do what `masklet batch` does, and return what is to be kept."""
    source, folder, phases = write_jobs(place, count), BatchFolder(place / "out"), Phases()
    phases.measured("modules are imported", lambda: None)
    jobs = phases.measured("jobs are read", lambda: read_jobs(source))
    left = phases.measured("results are looked for", lambda: open_jobs(folder, jobs))
    phases.measured("the batch is begun", lambda: folder.begin(jobs))
    worker = BatchWorker(folder, DrawingChoice())
    records = done_jobs(left, process_lanes([worker, worker]))
    peaks = phases.measured("jobs are done", lambda: curve(records, count))
    phases.measured("the report is written", lambda: write_report(folder))
    phases.measured("finished jobs are looked for", lambda: open_jobs(folder, jobs))
    return {"driver_phases": phases.rows, "driver_mib": peaks}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--output", type=Path, default=RESULTS, help="the JSON file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=IN_MEMORY if IN_MEMORY.is_dir() else None) as place:
        report = run(Path(place), options.jobs)
    command = f"python -m benchmarks.batch_memory --jobs {options.jobs}"
    content = {"command": command, "machine": machine(), "jobs": options.jobs, **report}
    options.output.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
