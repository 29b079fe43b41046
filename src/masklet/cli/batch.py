"""`masklet batch`: many images and videos, by every core or card of one machine or of many."""

from __future__ import annotations

import math
import secrets
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from masklet import __version__
from masklet.atomic_files import check_writable
from masklet.cli.everything_options import EverythingOption
from masklet.cli.exit_codes import ExitCode
from masklet.cli.image_options import BandsOption, MaxImagePixelsOption, parsed_bands
from masklet.cli.machine_options import RayOption, ShardOption, parsed_shard
from masklet.cli.model_options import (
    DataTypeOption,
    DeviceOption,
    ImageSizeOption,
    ModelOption,
    PresetOption,
    RuntimeOption,
)
from masklet.cli.track_choices import SAVE_EVERY, SaveEveryOption
from masklet.configuration.presets import SpeedPreset
from masklet.runtimes.names import RuntimeName

if TYPE_CHECKING:
    from masklet.jobs.batch_folder import BatchFolder, JobRecord
    from masklet.jobs.batch_jobs import BatchJob
    from masklet.jobs.batch_worker import BatchWorker
    from masklet.jobs.lanes import Lane

    Lanes = Sequence[Callable[[], Lane[BatchJob, JobRecord]]]


JobsArgument = Annotated[
    Path, typer.Argument(metavar="JOBS", help="A JSONL file, a folder of media, or a dataset; with --status: OUT.")
]
OutputOption = Annotated[Path, typer.Option("-o", "--output", metavar="OUT", help="The folder to write to.")]
WorkersOption = Annotated[
    int | None, typer.Option("--workers", min=1, help="Number of workers; default: one a GPU, or one.")
]


def batch(
    jobs: JobsArgument,
    output: OutputOption = Path("masklet-output"),
    workers: WorkersOption = None,
    shard: ShardOption = None,
    ray: RayOption = None,
    everything: EverythingOption = False,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Try again what failed.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what is to be done, and an estimate.")] = False,
    sample: Annotated[
        int | None,
        typer.Option("--sample", min=1, metavar="N", help="Do N of the jobs, for the estimate of --dry-run, and stop."),
    ] = None,
    status: Annotated[bool, typer.Option("--status", help="Show how far the batch in OUT is.")] = False,
    save_every: SaveEveryOption = SAVE_EVERY,
    model: ModelOption = None,
    device: DeviceOption = None,
    dtype: DataTypeOption = None,
    image_size: ImageSizeOption = None,
    preset: PresetOption = SpeedPreset.EXACT,
    runtime: RuntimeOption = RuntimeName.AUTO,
    bands: BandsOption = None,
    max_image_pixels: MaxImagePixelsOption = None,
) -> None:
    """Segment and track many images and videos; the same command goes on after any break.

    A line of JOBS is {"id": "a", "video": "a.mp4", "prompts": [{"points": [[320, 200]], "frame": 0}]}: an "image" or a
    "video", with "prompts" as in prompt files, a "prompt_file" that holds such a list, or "everything": true, and
    "options" of masklet segment and masklet track. In a folder the prompts of a.mp4 are in a.json; with --everything
    media without such a file are jobs, too. Datasets are tracked from the masks where objects first appear.

    OUT/ID gets what masklet segment or masklet track writes, once it is whole. A job that fails, or whose process dies
    twice, costs only itself. OUT/report.jsonl has a line a job, OUT/report.html shows them.

    Machines that share OUT take a part each: --shard 1/10 to --shard 10/10. Or one command has the workers of a Ray
    cluster: --ray auto for the one that this machine belongs to, --ray local to start one here.
    """
    from masklet.jobs.batch import open_jobs
    from masklet.jobs.batch_folder import BatchFolder
    from masklet.jobs.batch_jobs import read_jobs
    from masklet.jobs.batch_work import ModelChoice
    from masklet.jobs.batch_worker import BatchWorker
    from masklet.jobs.run import shard_of

    if status:
        return _show_status(BatchFolder(jobs))
    check_writable(output)
    folder, all_jobs = BatchFolder(output), read_jobs(jobs, everything=everything)
    own = all_jobs if shard is None else shard_of(all_jobs, *parsed_shard(shard))
    left = open_jobs(folder, own, retry_failed=retry_failed)
    if dry_run:
        return _show(folder, left, workers or 1)
    chosen = left if sample is None else _spread(left, sample)
    _begin(folder, all_jobs)
    how = ModelChoice(model, "", dtype, image_size, preset, runtime, parsed_bands(bands), max_image_pixels)
    choice = replace(how, version=__version__, save_every=save_every or math.inf)
    worker = BatchWorker(folder, choice, run="" if ray is None else secrets.token_hex(4), retry_failed=retry_failed)
    with _lanes(worker, model, device, workers, ray) as lanes:
        held = _do(folder, chosen, len(own) - len(left), lanes)
    _report(folder, own, held, is_shard=shard is not None)


def _show_status(folder: BatchFolder) -> None:
    from masklet.jobs.batch_report import BatchSummary

    print(BatchSummary.of(folder.records().values()))


def _show(folder: BatchFolder, left: Sequence[BatchJob], workers: int) -> None:
    """Print the jobs that are to be done, and how long they may take by what the finished ones of the folder took."""
    from masklet.jobs.batch_folder import Status
    from masklet.jobs.batch_report import BatchSummary

    for job in left:
        print(f"{job.id}\t{job.path}")
    known = BatchSummary.of(folder.records().values() if folder.mark.is_file() else ())
    done = known.counts[Status.DONE]
    estimate = f", about {known.seconds / done * len(left) / workers:,.0f} seconds by {done} done" if done else ""
    print(f"{len(left)} jobs are to be done{estimate}.", file=sys.stderr)


def _begin(folder: BatchFolder, jobs: Sequence[BatchJob]) -> None:
    folder.begin(jobs)
    if not folder.has_locks():
        print(f"Warning: {folder.path} has no locks; no other command may do the same jobs meanwhile.", file=sys.stderr)


def _spread(jobs: Sequence[BatchJob], count: int) -> Sequence[BatchJob]:
    """Return some of the jobs at equal distances: the longest come first."""
    count = min(count, len(jobs))
    return [jobs[number * len(jobs) // count] for number in range(count)]


@contextmanager
def _lanes(
    worker: BatchWorker, model: str | None, device: str | None, workers: int | None, ray: str | None
) -> Iterator[Lanes]:
    """Yield what opens the workers: processes of this machine, or actors of a cluster, connected within the block."""
    from masklet.devices import devices_of_workers, usable_device
    from masklet.jobs.ray_cluster import ray_cluster
    from masklet.jobs.worker_processes import process_lanes
    from masklet.runtimes.opening import is_exported

    if is_exported(model):
        device = device or "cpu"  # where graphs run
    if ray is None:
        yield process_lanes([worker.on(each) for each in devices_of_workers(usable_device(device), workers)])
        return
    with ray_cluster(ray) as cluster:
        worker = worker.on(cluster.device(device))
        yield cluster.lanes(worker, worker.choice.device, worker.folder.mark, workers)


def _do(folder: BatchFolder, jobs: Sequence[BatchJob], done: int, lanes: Lanes) -> int:
    """Do some of this process' own jobs, so many of which are done, with a bar over all workers.

    Returns:
        How many are left to other processes, which hold them.
    """
    from masklet.cli.progress import PerSecond, progress_bar
    from masklet.jobs.batch import done_jobs
    from masklet.jobs.batch_folder import Status

    held = 0
    try:
        became = done_jobs(jobs, lanes, on_lost=folder.take_back)
        with progress_bar(PerSecond("jobs")) as progress, closing(became) as records:
            bar = progress.add_task("Jobs", total=done + len(jobs), completed=done)
            for record in records:
                if record.error:
                    print(f"Error: {record.id}: {record.error}", file=sys.stderr)
                if record.status is Status.HELD:
                    held += 1
                else:
                    progress.advance(bar)
    except KeyboardInterrupt:
        print(f"Stopped; {folder.path} keeps what is finished: give the same command to continue.", file=sys.stderr)
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    return held


def _report(folder: BatchFolder, own: Sequence[BatchJob], held: int, *, is_shard: bool) -> None:
    """Show what became of this process' own jobs, and exit by that and by how many others hold.

    The report is about all jobs: of shards the last one writes it, who finds none open.
    """
    from masklet.jobs.batch_report import BatchSummary, write_report

    if is_shard:
        summary = BatchSummary.of(map(folder.record, own))
        if folder.is_finished():
            write_report(folder)
    else:
        summary = write_report(folder)
    print(summary)
    if summary.failed or held:
        raise typer.Exit(ExitCode.SOME_FAILED)
