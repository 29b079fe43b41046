"""A batch: many images and videos through workers, of which each job costs only itself."""

from collections.abc import Callable, Generator, Sequence
from contextlib import closing

from masklet.errors import InvalidInputError
from masklet.jobs.batch_folder import CLOSED, FAILURES, BatchFolder, JobRecord, Status
from masklet.jobs.batch_jobs import BatchJob
from masklet.jobs.lanes import Lane, SharedOut

MOST_NAMED = 5


def open_jobs(folder: BatchFolder, jobs: Sequence[BatchJob], *, retry_failed: bool = False) -> list[BatchJob]:
    """Return the jobs that are to be done, longest first.

    Args:
        folder: of the batch.
        jobs: of this process and its workers.
        retry_failed: whether those that failed are done again, and those of which processes died.

    Raises:
        InvalidInputError: for a job whose results are there and were made of something else, for media of another
            folder than before, and missing media.
    """
    folder.check_media(jobs)
    left = []
    for job in jobs:
        record = folder.record(job)
        if record.status not in CLOSED or (retry_failed and record.status in FAILURES):
            left.append(job)
    if missing := [str(job.path) for job in left if not job.path.exists()]:
        more = f" and {len(missing) - MOST_NAMED} more" if len(missing) > MOST_NAMED else ""
        raise InvalidInputError(f"These images and videos do not exist: {', '.join(missing[:MOST_NAMED])}{more}.")
    return sorted(left, key=BatchJob.size, reverse=True)


def done_jobs(
    jobs: Sequence[BatchJob],
    lanes: Sequence[Callable[[], Lane[BatchJob, JobRecord]]],
    on_lost: Callable[[BatchJob], object] = lambda job: None,
) -> Generator[JobRecord, None, None]:
    """Yield what becomes of each job, in the order in which they end.

    Those that another process holds are offered once more when all others have ended: it may have died meanwhile.

    Args:
        jobs: in the order in which they are begun.
        lanes: open each a `BatchWorker`: `process_lanes`, or those of a `RayCluster`.
        on_lost: called with a job whose worker is gone with its machine, as `BatchFolder.take_back`.

    Raises:
        InvalidInputError: if there are no lanes, or workers die before any work.
        Exception: what is no fault of a job: a model that cannot be loaded, another model than before, a full disk.
    """
    if not lanes:
        raise InvalidInputError("At least one worker is needed; got 0.")
    shared, by_id = SharedOut(lanes, jobs, on_lost=on_lost), {job.id: job for job in jobs}
    held: list[BatchJob] = []
    with closing(shared.results()) as records:
        for count, record in enumerate(records, start=1):
            if record.status is Status.HELD and count <= len(jobs):
                held.append(by_id[record.id])
            else:
                yield record
            if count == len(jobs):
                shared.add(held)
