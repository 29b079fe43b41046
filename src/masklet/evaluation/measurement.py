"""An evaluation as a job: item by item, by several processes, taken up again where it was interrupted."""

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

from masklet.errors import InvalidInputError
from masklet.evaluation.measured_item import MeasuredItem
from masklet.evaluation.reporting.report import Report
from masklet.evaluation.reporting.worst_frames import AnnotatedFrames
from masklet.jobs.journal import ItemJournal
from masklet.jobs.run import ItemJob, OpenLanes, shard_of

Progress = Callable[[int, int], None]
FolderPath = str | os.PathLike[str]
OLDER_SETTINGS = {"objects_per_picture": "objects_per_image"}  # in folders of earlier versions


class Measurement(AnnotatedFrames, Protocol):
    """One predictor on one set of data; workers get copies of it by pickle."""

    @property
    def predictor_name(self) -> str:
        """What the rows of the results are called."""

    def names(self) -> Sequence[str]:
        """Return the names of the images or videos to measure."""

    def files(self, name: str) -> Iterable[Path]:
        """Return the files that an image or video is measured from."""

    def settings(self) -> dict[str, Any]:
        """Return what the values depend on, of kinds that JSON knows."""

    def measure(self, name: str) -> MeasuredItem:
        """Measure one image or video."""

    def report(self, items: tuple[MeasuredItem, ...]) -> Report:
        """Return the results as a report of this kind."""


def fingerprint_of(predictor: Any) -> str:
    """Return a hash that differs between checkpoints of one name, say before and after training; "" if none."""
    return str(getattr(predictor, "fingerprint", ""))


def measure_all(
    measurement: Measurement,
    *,
    folder: FolderPath | None = None,
    workers: int = 1,
    lanes: OpenLanes | None = None,
    progress: Progress | None = None,
) -> tuple[MeasuredItem, ...]:
    """Measure every item and return them in the order of their names' list.

    Args:
        measurement: what to measure.
        folder: keeps what is finished; what it holds from an earlier run with the same settings is not measured again
            unless its files have changed.
        workers: the number of processes; the results are the same with any.
        lanes: opens other workers in their place, say those of a cluster.
        progress: called at the beginning and after each item with the number of items done and their total.

    Raises:
        InvalidInputError: if there is nothing to measure, or the folder belongs to another measurement.
    """
    names = _names(measurement)
    journal = None if folder is None else _journal(measurement, folder)
    job = ItemJob(names, measurement.measure, journal)
    job.run(workers=workers, lanes=lanes, on_item=progress or (lambda done, total: None))
    return tuple(job.results[name] for name in names)


def measure_shard(
    measurement: Measurement,
    shard: tuple[int, int],
    folder: FolderPath,
    *,
    workers: int = 1,
    lanes: OpenLanes | None = None,
    progress: Progress | None = None,
) -> tuple[MeasuredItem, ...] | None:
    """Measure the part of one of several machines that share a folder.

    Args:
        measurement: what to measure, the same on every machine.
        shard: which machine this is, from 1 on, and how many there are.
        folder: of all machines; otherwise as of `measure_all`.
        workers: as of `measure_all`.
        lanes: likewise.
        progress: likewise, of this part.

    Returns:
        All items in the order of their names' list, with the numbers of one machine; None as long as other machines
        have not finished theirs.

    Raises:
        InvalidInputError: as `measure_all` raises it, and for a shard that there is not.
    """
    names = _names(measurement)
    job = ItemJob(shard_of(names, *shard), measurement.measure, _journal(measurement, folder, shard))
    job.run(workers=workers, lanes=lanes, on_item=progress or (lambda done, total: None))
    known = ItemJob(names, measurement.measure, _journal(measurement, folder, shard)).results
    return tuple(known[name] for name in names) if len(known) == len(names) else None


def _names(measurement: Measurement) -> list[str]:
    names = list(measurement.names())
    if not names:
        raise InvalidInputError("Nothing to measure: the list of images or sequences is empty.")
    return names


def _journal(
    measurement: Measurement, folder: FolderPath, shard: tuple[int, int] | None = None
) -> ItemJournal[MeasuredItem]:
    return ItemJournal(folder, measurement.settings(), measurement.files, MeasuredItem, OLDER_SETTINGS, shard)
