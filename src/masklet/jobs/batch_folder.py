"""The folder of a batch: whole results, and beside them what is known of each job, so that any process goes on."""

import errno
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from masklet.atomic_files import made_folder, remove_all_but, remove_unfinished, sync, sync_below, written_whole
from masklet.errors import InvalidInputError
from masklet.file_locks import folder_lock
from masklet.formats.reading.batch_folders import BATCH, IMAGE, MEDIA, PART, RESULT, STATE, VIDEO
from masklet.jobs.batch_jobs import BatchJob
from masklet.json_files import is_file_name, is_finite_number, read_json, shown
from masklet.whole_numbers import is_whole_number

SETTINGS, RECORD = "settings.json", "record.json"
JOBS, MEDIA_PATH = "jobs", "media_path"  # in the file about all jobs
MOST_ATTEMPTS = 2
LEAST_FREE = 64 * 2**20
"""Bytes; with less a job is not begun."""


class Status(StrEnum):
    """What became of a job."""

    OPEN = "open"
    BEGUN = "begun"  # at work, or its process died
    HELD = "held"  # another process is at work on it
    DONE = "done"
    FAILED = "failed"
    POISON = "poison"  # two processes died of it


FAILURES = (Status.FAILED, Status.POISON)
CLOSED = (Status.DONE, *FAILURES)


@dataclass(frozen=True)
class JobRecord:
    """What is known of a job.

    Attributes:
        id: of the job.
        fingerprint: of what was asked for.
        status: what became of it.
        attempts: how often a process has begun it that did not end it itself.
        frames: how many were tracked, 1 of an image; None unless it is done.
        seconds: of the last attempt; None if that was killed.
        worker: which process worked on it last.
        run: the run of a cluster that this process belonged to; "" for none.
        error: why it failed.
    """

    id: str
    fingerprint: str
    status: Status = Status.OPEN
    attempts: int = 0
    frames: int | None = None
    seconds: float | None = None
    worker: str = ""
    run: str = ""
    error: str = ""

    def taken_back(self) -> Self:
        """Return what is known once its last attempt does not count: something else than the job ended it."""
        return replace(self, status=Status.OPEN, attempts=self.attempts - 1)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what `BatchFolder.keep` wrote; InvalidInputError if it is something else."""
        content = read_json(path)
        if not _is_record(content, {field.name for field in fields(cls)}) or content["id"] != path.parent.name:
            raise InvalidInputError(f"{path} is no record of a job: {shown(content)}.")
        return cls(**{**content, "status": Status(content["status"])})


def _is_record(content: Any, names: Set[str]) -> bool:
    """Whether content of JSON has the fields of a record, each of its kind."""
    if not isinstance(content, dict) or content.keys() != names:
        return False
    texts = [content[name] for name in ("id", "fingerprint", "status", "worker", "run", "error")]
    frames, seconds = content["frames"], content["seconds"]
    return (
        all(isinstance(each, str) for each in texts)
        and content["status"] in [*Status]
        and _is_count(content["attempts"])
        and (frames is None or _is_count(frames))
        and (seconds is None or (is_finite_number(seconds) and seconds >= 0))
    )


def _is_count(value: Any) -> bool:
    return is_whole_number(value) and 0 <= value < 2**53


class BatchFolder:
    """Results in `path/ID`, unfinished ones in `path/ID.part`, and records of all jobs in `path/.batch`.

    A folder of results is renamed when it is whole, so that what exists is whole.

    Args:
        path: the folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def result(self, job_id: str) -> Path:
        """Return the folder of a job's results, which exists if they are whole."""
        return self.path / job_id

    def part(self, job_id: str) -> Path:
        """Return the folder where a job's results are made, and its session is saved."""
        return self.path / f"{job_id}{PART}"

    def check_media(self, jobs: Sequence[BatchJob]) -> None:
        """Raise InvalidInputError if the batch has media of another folder, whose names may be those of these."""
        known = self._index() if self.mark.is_file() else {}
        places = self._places([job for job in jobs if not os.path.isabs(job.medium)])
        if known.keys() & places.keys() and not any(known.get(name) == place for name, place in places.items()):
            raise InvalidInputError(
                f"{self.path} has results of the media in {known.get(MEDIA_PATH)}; those in {jobs[0].folder} may have "
                f"the same names. Choose another -o; if they were moved, delete {self.mark}."
            )

    def begin(self, jobs: Sequence[BatchJob]) -> None:
        """Note which jobs there are, and where their media are; OSError if nothing can be written here."""
        made_folder(self.path / STATE)
        _write(self.mark, {JOBS: {job.id: job.fingerprint for job in jobs}, **self._places(jobs)})

    def has_locks(self) -> bool:
        """Return whether a process sees here that another one is at work on a job, once a batch was begun."""
        with folder_lock(self.path / STATE) as is_held:
            return is_held is not None

    @property
    def mark(self) -> Path:
        """The file that is there once a batch was begun here."""
        return self.path / STATE / BATCH

    def records(self) -> dict[str, JobRecord]:
        """Return what is known of each job that the batch was begun with last, by id; InvalidInputError if of none."""
        return {record.id: record for record in self._records()}

    def is_finished(self) -> bool:
        """Return whether no job is left to be done, by whichever process; errors as of `records`."""
        return all(record.status in CLOSED for record in self._records())

    def record(self, job: BatchJob) -> JobRecord:
        """Return what is known of a job; what was known of another one under its id counts no more.

        Raises:
            InvalidInputError: if there are results of something else under its id.
        """
        return self._record(job.id, job.fingerprint)

    def keep(self, record: JobRecord) -> None:
        """Write what is known of a job; on disk when this returns."""
        _write(self.path / STATE / record.id / RECORD, asdict(record))

    def take_back(self, job: BatchJob) -> None:
        """Let the attempt not count of a worker that is gone with its machine."""
        if (record := self.record(job)).status is Status.BEGUN:
            self.keep(record.taken_back())

    def has_gone_on(self, record: JobRecord, session: Path) -> bool:
        """Whether a job that was begun has saved its session since: it gets further each time."""
        kept = self.path / STATE / record.id / RECORD
        return session.is_file() and kept.is_file() and session.stat().st_mtime_ns > kept.stat().st_mtime_ns

    @contextmanager
    def held(self, job: BatchJob) -> Iterator[bool]:
        """Hold a job within the block, where there are locks; yield False if another process is at work on it."""
        state = self.path / STATE / job.id
        made_folder(state)
        with folder_lock(state) as is_held:
            if is_held:
                remove_unfinished(state)
            yield is_held is not False

    def clear_part(self, job: BatchJob, session: Path | None) -> None:
        """Remove what an earlier attempt has left of its results, but for the session that it saved.

        Args:
            job: which is held.
            session: its folder; None: what is there was made of another job under this id.
        """
        remove_all_but(session, self.part(job.id))

    def commit(self, job: BatchJob, frames: int, settings: Mapping[str, Any]) -> None:
        """Let the results count that were made in `part`; on disk when this returns."""
        part = self.part(job.id)
        sync_below(part)
        asked = {
            VIDEO if job.is_video else IMAGE: job.medium,
            "prompts": job.prompts or "everything",
            "options": dict(job.options),
        }
        content = {"id": job.id, "fingerprint": job.fingerprint, "frames": frames, **asked, "made_by": dict(settings)}
        _write(part / RESULT, content)
        os.replace(part, self.result(job.id))
        sync(self.path)

    def agree(self, settings: Mapping[str, Any]) -> None:
        """Refuse to add to results that others made: InvalidInputError that names what differs.

        Args:
            settings: versions, model and number type of this process.
        """
        path = self.path / STATE / SETTINGS
        with folder_lock(path.parent, waits=True):  # of two that are the first, the second sees what the first wrote
            if not path.is_file():
                _write(path, settings)
        if not isinstance(known := read_json(path), dict):
            raise InvalidInputError(f"{path} is no object of settings: {shown(known)}.")
        if known != settings:
            changed = [
                f"{name}: {shown(known.get(name))}, now {shown(value)}"
                for name, value in settings.items()
                if known.get(name) != value
            ]
            raise InvalidInputError(
                f"{self.path} holds results that were made otherwise ({'; '.join(changed)}); choose another -o."
            )

    def check_space(self) -> None:
        """Raise OSError if the disk is nearly full: a job that began would count as an attempt."""
        if shutil.disk_usage(self.path).free < LEAST_FREE:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))

    def _places(self, jobs: Sequence[BatchJob]) -> dict[str, str]:
        """Return where the names of media begin, of all jobs alike, from here on and from the root.

        The first stays where machines have the disk in different places, the second where this folder is moved.
        """
        return {MEDIA: _way(self.path, jobs[0].folder), MEDIA_PATH: str(jobs[0].folder.resolve())} if jobs else {}

    def _index(self) -> dict[str, Any]:
        if not self.mark.is_file():
            raise InvalidInputError(f"{self.path} holds no batch; begin one with: masklet batch JOBS -o {self.path}")
        content = read_json(self.mark)
        jobs = content.get(JOBS) if isinstance(content, dict) else None
        if not isinstance(jobs, dict) or not all(is_file_name(name) and isinstance(jobs[name], str) for name in jobs):
            raise InvalidInputError(f"{self.mark} does not say which jobs there are: {shown(content)}; delete it.")
        return content

    def _records(self) -> Iterator[JobRecord]:
        for job_id, fingerprint in self._index()[JOBS].items():
            try:
                record = self._record(job_id, fingerprint)
            except InvalidInputError as error:  # what is in the way of one job is no reason to be silent about others
                record = JobRecord(job_id, fingerprint, Status.FAILED, error=str(error))
            yield record

    def _record(self, job_id: str, fingerprint: str) -> JobRecord:
        path, fresh = self.path / STATE / job_id / RECORD, JobRecord(job_id, fingerprint)
        known = JobRecord.read(path) if path.is_file() else fresh
        if known.fingerprint != fingerprint:
            known = fresh
        if not (result := self.result(job_id)).exists():
            return fresh if known.status is Status.DONE else known
        content = self._content_of(result)
        if content["fingerprint"] != fingerprint:
            raise InvalidInputError(
                f"{result} holds the results of another job: since they were made, its medium, prompts or options "
                "were changed. Delete that folder to make them anew, give the job another id, or choose another -o."
            )
        # They are whole, whether or not a process lived to note that.
        return replace(known, status=Status.DONE, attempts=0, frames=content["frames"], error="")

    def _content_of(self, result: Path) -> dict[str, Any]:
        content = read_json(result / RESULT) if (result / RESULT).is_file() else None
        known = content if isinstance(content, dict) else {}
        if not isinstance(known.get("fingerprint"), str) or not _is_count(known.get("frames")):
            raise InvalidInputError(f"{result} is no folder of results of a batch, and in the way; choose another -o.")
        return known


def _way(start: Path, end: Path) -> str:
    """Return the relative path between two folders, or the absolute one between disks of Windows."""
    try:
        return os.path.relpath(end.resolve(), start.resolve())
    except ValueError:
        return str(end.absolute())


def _write(path: Path, content: Mapping[str, Any]) -> None:
    """Write a file that survives a power failure: an empty one would stop every later run."""
    with written_whole(path, durable=True) as unfinished:
        unfinished.write_text(json.dumps(content) + "\n", encoding="utf-8")
