"""Going through an evaluation item by item: by several processes, and on from where it was interrupted."""

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

from masklet.errors import InvalidInputError
from masklet.evaluation.measured_item import MeasuredItem
from masklet.evaluation.reporting.report import Report
from masklet.evaluation.reporting.worst_frames import AnnotatedFrames
from masklet.evaluation.running.file_states import state_of
from masklet.evaluation.running.finished_items import FinishedItems
from masklet.evaluation.running.workers import measured_by_workers

Progress = Callable[[int, int], None]
FolderPath = str | os.PathLike[str]


class Measurement(AnnotatedFrames, Protocol):
    """One predictor on one set of data; workers get copies of it by pickle."""

    @property
    def predictor_name(self) -> str:
        """What the rows of the results are called."""

    def names(self) -> Sequence[str]:
        """Return the names of the pictures or videos to measure."""

    def files(self, name: str) -> Iterable[Path]:
        """Return the files that a picture or video is measured from."""

    def settings(self) -> dict[str, Any]:
        """Return what the values depend on, of kinds that JSON knows."""

    def measure(self, name: str) -> MeasuredItem:
        """Measure one picture or video."""

    def report(self, items: tuple[MeasuredItem, ...]) -> Report:
        """Return the results as a report of this kind."""


def fingerprint_of(predictor: Any) -> str:
    """Return what tells a predictor from another of the same name, say a checkpoint before and after more training."""
    return str(getattr(predictor, "fingerprint", ""))


def run(
    measurement: Measurement,
    *,
    folder: FolderPath | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> tuple[MeasuredItem, ...]:
    """Measure every item and return them in the order of their names' list.

    Args:
        measurement: what to measure.
        folder: keeps what is finished; what it holds from an earlier run with the same settings is not measured again
            unless its files have changed.
        workers: the number of processes; the results are the same with any.
        progress: called at the beginning and after each item with the number of items done and their total.

    InvalidInputError if there is nothing to measure, or the folder belongs to another measurement.
    """
    names = list(measurement.names())
    if not names:
        raise InvalidInputError("Nothing to measure: the list of pictures or sequences is empty.")
    kept = None if folder is None else FinishedItems(folder, measurement.settings())
    states = {} if kept is None else {name: state_of(measurement.files(name)) for name in names}
    known = {} if kept is None else {name: item for name in names if (item := kept.get(name, states[name])) is not None}
    if progress is not None:
        progress(len(known), len(names))
    missing = [name for name in names if name not in known]
    for item in measured_by_workers(measurement.measure, missing, workers):
        known[item.name] = item
        if kept is not None:
            kept.add(item, states[item.name])
        if progress is not None:
            progress(len(known), len(names))
    return tuple(known[name] for name in names)
