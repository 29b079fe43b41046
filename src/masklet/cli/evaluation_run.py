"""What all commands of `masklet evaluate` do once their options are read: load, measure, write and print."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from masklet.atomic_files import check_file_writable, check_writable, remove_unfinished
from masklet.cli.exit_codes import ExitCode
from masklet.cli.machine_options import parsed_shard
from masklet.errors import InvalidInputError

if TYPE_CHECKING:
    from masklet.evaluation.measured_item import MeasuredItem
    from masklet.evaluation.measurement import Measurement
    from masklet.evaluation.reporting.report import Report
    from masklet.jobs.run import OpenLanes

MOST_REMARKS_SHOWN = 10


@dataclass(frozen=True)
class RayWorkers:
    """Workers of a Ray cluster: its address, the device that is asked for, and the data that all machines see."""

    address: str
    device: str | None
    data: Path

    @classmethod
    def of(cls, address: str | None, device: str | None, data: Path) -> RayWorkers | None:
        """Return None without an address."""
        return None if address is None else cls(address, device, data)

    @contextmanager
    def lanes(self, workers: int | None) -> Iterator[OpenLanes]:
        """Connect to the cluster within the block, and yield what opens its workers."""
        from masklet.devices import usable_device
        from masklet.jobs.ray_cluster import ray_cluster

        with ray_cluster(self.address) as cluster:
            yield lambda work: cluster.lanes(work, usable_device(self.device), self.data, workers)


@dataclass(frozen=True)
class EvaluationRun:
    """Where the results go, and by how many workers they come; OSError at once if they could not go there."""

    output: Path | None
    folder: Path | None
    workers: int | None
    is_comparison: bool
    shard: str | None = None
    ray: RayWorkers | None = None

    def __post_init__(self) -> None:
        if self.shard is not None and self.folder is None:
            raise InvalidInputError("--shard needs --report FOLDER, which the machines share.")
        if self.output is not None:
            check_file_writable(self.output)
        if self.folder is not None:
            check_writable(self.folder)

    def show(self, measurements: Callable[[], Sequence[Measurement]]) -> None:
        """Load what `measurements` returns, measure it, write what was asked for and print the table."""
        from rich.console import Console

        from masklet.cli.tables import drawn_table
        from masklet.evaluation.reporting.comparison import Comparison
        from masklet.evaluation.reporting.report import report_table
        from masklet.evaluation.reporting.report_folder import write_report_folder, write_scores

        for written in (self.folder, self.output and self.output.parent):
            if written is not None:
                remove_unfinished(written)
        try:
            measured = self._measured(measurements)
        except KeyboardInterrupt:
            if self.folder is None or not self.folder.exists():  # it is made with the first finished item
                raise
            print(f"Stopped; {self.folder} keeps what is finished: give the same command to continue.", file=sys.stderr)
            raise typer.Exit(ExitCode.INTERRUPTED) from None
        if measured is None:
            print("This part is measured; the last one to finish writes the report.", file=sys.stderr)
            return
        reports = [report for _, report in measured]
        pairs = zip(reports[: len(reports) // 2], reports[len(reports) // 2 :], strict=True)
        comparisons = [Comparison(*pair) for pair in pairs] if self.is_comparison else []
        if self.output is not None:
            write_scores(self.output, reports, comparisons)
        if self.folder is not None:
            write_report_folder(self.folder, measured, comparisons)
        _warn(reports)
        tables = [each.table() for each in comparisons] or [report_table(reports)]
        Console().print(*map(drawn_table, tables), sep="\n")

    def _measured(self, measurements: Callable[[], Sequence[Measurement]]) -> list[tuple[Measurement, Report]] | None:
        """Measure; return None if other machines have not finished their parts."""
        from masklet.cli.progress import progress_bar
        from masklet.evaluation.reporting.report_folder import predictor_folders

        measured: list[tuple[Measurement, Report]] = []
        with progress_bar() as bar, nullcontext() if self.ray is None else self.ray.lanes(self.workers) as lanes:
            loading = bar.add_task("Loading", total=None)
            chosen = measurements()
            bar.remove_task(loading)
            names = [each.predictor_name for each in chosen]
            folders = [None] * len(chosen) if self.folder is None else predictor_folders(self.folder, names)
            for each, folder in zip(chosen, folders, strict=True):
                task = bar.add_task(f"Measuring {each.predictor_name}", total=None)
                items = self._items(
                    each,
                    folder,
                    lanes,
                    lambda done, total, task=task: bar.update(task, completed=done, total=total),  # type: ignore[misc]
                )
                if items is not None:
                    measured.append((each, each.report(items)))
        return measured if len(measured) == len(chosen) else None

    def _items(
        self,
        measurement: Measurement,
        folder: Path | None,
        lanes: OpenLanes | None,
        progress: Callable[[int, int], None],
    ) -> tuple[MeasuredItem, ...] | None:
        from masklet.evaluation.measurement import measure_all, measure_shard

        how: dict[str, Any] = {"workers": self.workers or 1, "lanes": lanes, "progress": progress}
        if self.shard is None or folder is None:
            return measure_all(measurement, folder=folder, **how)
        return measure_shard(measurement, parsed_shard(self.shard), folder, **how)


def _warn(reports: Sequence[Report]) -> None:
    """Print what is odd about the data, or about the masks that were measured."""
    items = (item for report in reports for item in report.items)
    remarks = dict.fromkeys(f"{item.name}: {each}" for item in items for each in item.remarks)
    for remark in islice(remarks, MOST_REMARKS_SHOWN):
        print(f"Warning: {remark}.", file=sys.stderr)
    if len(remarks) > MOST_REMARKS_SHOWN:
        print(f"Warning: {len(remarks)} such remarks in all; the JSON files hold them.", file=sys.stderr)
