"""Batches whose work is copying text: for tests of all that is around the work."""

import json
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from masklet.errors import InvalidInputError
from masklet.jobs.batch_folder import BatchFolder
from masklet.jobs.batch_jobs import BatchJob, read_jobs
from masklet.jobs.batch_worker import BatchWorker

MOST_ASKED = 3
SETTINGS = {"masklet": "1", "torch": "2"}


@dataclass(frozen=True)
class Copying:
    """Copies a medium; "broken" in it is an error, "deadly" kills the process, "full" fills the disk.

    "sick" is a device that fails once. At "pre-empted" the process is asked to end, so often that it would be poison.
    """

    settings: Mapping[str, str]

    def do(self, job: BatchJob, folder: Path) -> int:
        content = job.path.read_text()
        if content == "deadly":
            os.kill(os.getpid(), signal.SIGKILL)
        if content == "pre-empted" and len(asked := list(job.folder.glob("asked*"))) < MOST_ASKED:
            (job.folder / f"asked{len(asked)}").touch()
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(60)
        if content == "sick" and not (once := job.folder / "sick").exists():
            once.touch()
            raise torch.AcceleratorError("CUDA error: device-side assert triggered")
        if content == "interrupted":
            raise KeyboardInterrupt
        if content == "broken":
            raise ValueError("it is broken")
        folder.mkdir(exist_ok=True)
        if content == "full":
            (folder / "half.txt").touch()
            raise OSError(28, "No space left on device")
        (folder / "copy.txt").write_text(content)
        return len(content)


@dataclass(frozen=True)
class CopyingChoice:
    """Stands for a model; the version "missing" cannot be loaded."""

    device: str = "cpu"
    version: str = "1"

    def on(self, device: str) -> "CopyingChoice":
        return replace(self, device=device)

    def load(self) -> Copying:
        if self.version == "missing":
            raise InvalidInputError("there is no such model")
        return Copying({**SETTINGS, "masklet": self.version})


def batch_of(folder: Path, contents: Mapping[str, str]) -> list[BatchJob]:
    """Write a medium for each job, and a job file."""
    lines = []
    for name, content in contents.items():
        (folder / f"{name}.mp4").write_text(content)
        lines.append(json.dumps({"video": f"{name}.mp4", "prompts": [{"points": [[1, 2]]}]}))
    (folder / "jobs.jsonl").write_text("\n".join(lines))
    return read_jobs(folder / "jobs.jsonl")


def worker_in(folder: Path, *, retry_failed: bool = False, **choice: str) -> BatchWorker:
    """Return a worker on the batch of `folder`, if jobs are there, in OUT."""
    batch = BatchFolder(folder / "OUT")
    batch.begin(read_jobs(listed) if (listed := folder / "jobs.jsonl").is_file() else [])
    return BatchWorker(batch, CopyingChoice(**choice), retry_failed=retry_failed)
