"""What works on the jobs of a batch, in whichever process: one class behind worker processes, shards and Ray."""

import errno
import os
import socket
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import BrokenExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, Self

import torch

from masklet.folders import entries
from masklet.jobs.batch_folder import CLOSED, FAILURES, MOST_ATTEMPTS, BatchFolder, JobRecord, Status
from masklet.jobs.batch_jobs import BatchJob
from masklet.jobs.batch_work import session_file

OF_THE_MACHINE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE, errno.ENFILE)  # no fault of the job at work
OF_THE_DEVICE = getattr(torch, "AcceleratorError", ())  # since torch 2.8; nothing is computed in this process any more


class JobModels(Protocol):
    """A model that was loaded."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """What the results depend on, as JSON."""

    def do(self, job: BatchJob, folder: Path) -> int:
        """Write the results of a job into a folder, and return of how many frames they are."""


class JobModelChoice(Protocol):
    """A model that each process loads by itself."""

    @property
    def device(self) -> str:
        """Where it computes."""

    def on(self, device: str) -> Self:
        """Return the same on another device."""

    def load(self) -> JobModels:
        """Load it."""


class BatchWorker:
    """Does a job of a batch when it is called; loads its model for the first, or before by `prepare`.

    An attempt is counted before its work and forgotten after, so that a job of which two processes died is known, and
    not begun again. Errors of a job are results.

    Args:
        folder: of the batch.
        choice: of the model and its device.
        run: of a cluster, whose end ends its workers without a word: what died with another run does not count. "" for
            processes, which take their attempts back when they end with the one that started them.
        retry_failed: whether jobs that failed are done again, from where their session was saved.
    """

    def __init__(
        self, folder: BatchFolder, choice: JobModelChoice, run: str = "", *, retry_failed: bool = False
    ) -> None:
        self.folder, self.choice, self.run, self.retry_failed = folder, choice, run, retry_failed
        self._begun: JobRecord | None = None
        self._models: JobModels | None = None

    def __call__(self, job: BatchJob) -> JobRecord:
        """Do a job, unless it is finished or another process is at work on it, and return what became of it.

        Raises:
            InvalidInputError: if the batch was begun with another model or other versions.
            CheckpointError: if the model cannot be loaded.
            OSError: if the disk is full or cannot be written to, that of the media is gone, or too many files are open.
            BrokenExecutor: if the device fails; this process is of no more use, and that counts as its death.
        """
        self.folder.check_space()
        with self.folder.held(job) as is_held:
            if not is_held:
                return self._of_another(self.folder.record(job))
            return self._held(job)

    def prepare(self) -> None:
        """Load the model; errors as of a job."""
        self.folder.check_space()
        self._loaded()

    def on(self, device: str) -> Self:
        """Return a worker for another device."""
        return type(self)(self.folder, self.choice.on(device), self.run, retry_failed=self.retry_failed)

    def abandon(self) -> None:
        """Take back the attempt that is counted, once: it is not the job that ends this process."""
        begun, self._begun = self._begun, None
        if begun is not None:
            self.folder.keep(begun.taken_back())

    def _of_another(self, record: JobRecord) -> JobRecord:
        if record.status in CLOSED:
            return record
        name = f" ({record.worker})" if record.status is Status.BEGUN else ""
        error = f"another process is at work on it{name}; once that has ended, the same command does what it has left."
        return replace(record, status=Status.HELD, error=error)

    def _held(self, job: BatchJob) -> JobRecord:
        before = self.folder.record(job)
        if before.status in FAILURES and self.retry_failed:
            before = replace(before, status=Status.OPEN, attempts=0)
        if before.status in CLOSED:
            return before
        is_of_another_run = before.run != self.run and bool(before.run)
        if is_of_another_run or self.folder.has_gone_on(before, self._session(job)):
            before = replace(before, attempts=0)
        if before.attempts >= MOST_ATTEMPTS:
            error = f"{before.attempts} processes that worked on it were ended by the system or a fault in a library."
            poison = replace(before, status=Status.POISON, error=error)
            self.folder.keep(poison)
            return poison
        models = self._loaded()  # before the attempt counts: that it cannot be loaded is no fault of the job
        self._clear_part(job, keeps_session=bool(before.worker))
        return self._done(job, before, models)

    def _done(self, job: BatchJob, before: JobRecord, models: JobModels) -> JobRecord:
        """Count an attempt, do the job and keep what became of it."""
        worker = f"{socket.gethostname()}:{os.getpid()}"
        begun = replace(before, status=Status.BEGUN, attempts=before.attempts + 1, error="")
        self._begun = replace(begun, worker=worker, run=self.run)
        self.folder.keep(self._begun)
        start = time.monotonic()
        try:
            frames = models.do(job, self.folder.part(job.id))
            self.folder.commit(job, frames, models.settings)
            ended = replace(self._begun, status=Status.DONE, attempts=0, frames=frames)
        except Exception as error:
            if _is_of_the_machine(error, job):
                self._clear_part(job)  # on a full disk there is no room for the record else
                self.abandon()
                raise
            line = " ".join(f"{type(error).__name__}: {error}".split())
            if isinstance(error, OF_THE_DEVICE):
                self._begun = None
                raise BrokenExecutor(line) from error
            ended = replace(self._begun, status=Status.FAILED, attempts=0, error=line)
        except BaseException:
            self.abandon()
            raise
        ended = replace(ended, seconds=round(time.monotonic() - start, 3))
        self.folder.keep(ended)
        self._begun = None
        return ended

    def _session(self, job: BatchJob) -> Path:
        return session_file(job, self.folder.part(job.id))

    def _clear_part(self, job: BatchJob, *, keeps_session: bool = True) -> None:
        self.folder.clear_part(job, self._session(job).parent if keeps_session else None)

    def _loaded(self) -> JobModels:
        if self._models is None:
            models = self.choice.load()
            self.folder.agree(models.settings)
            self._models = models
        return self._models


def _is_of_the_machine(error: BaseException, job: BatchJob) -> bool:
    """Whether any job would end in an error now: the disk is full, say, or the one of the media is gone."""
    return any(getattr(each, "errno", None) in OF_THE_MACHINE for each in _causes(error)) or _is_gone(job.path.parent)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and those that it comes from: readers of media name the file, and their error has no number."""
    while error is not None:
        yield error
        error = error.__cause__


def _is_gone(folder: Path) -> bool:
    """Whether a folder cannot be read, or holds nothing, as that of a disk that is not mounted any more."""
    try:
        return not entries(folder)
    except OSError:
        return True
