"""`masklet` with a model whose process dies of one video: what `python -m benchmarks.batch` starts."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

from masklet.cli.main import run
from masklet.jobs import batch_work
from masklet.jobs.batch_folder import JobRecord
from masklet.jobs.batch_jobs import BatchJob

DEADLY = "deadly"


@dataclass(frozen=True)
class Nothing:
    """Work of no time."""

    def prepare(self) -> None: ...
    def abandon(self) -> None: ...
    def __call__(self, item: int) -> JobRecord:
        return JobRecord(str(item), "")


class DeadlyModels(batch_work.BatchModels):
    """Ends its process, as a fault in a codec does, at a video of that name."""

    def do(self, job: BatchJob, folder: Path) -> int:
        if job.id == DEADLY:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().do(job, folder)


class DeadlyChoice(batch_work.ModelChoice):
    """Loads such models."""

    def load(self) -> DeadlyModels:
        loaded = super().load()
        return DeadlyModels(**vars(loaded))


def drive() -> None:
    """Be `masklet`."""
    batch_work.ModelChoice = DeadlyChoice  # type: ignore[misc]
    run()
