"""The results of an evaluation: means, confidence intervals and rows of tables, the same for every kind."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from masklet.errors import InvalidInputError
from masklet.evaluation.measured_item import MeasuredItem, mean_amounts, mean_values
from masklet.evaluation.reporting.intervals import Interval, confidence_interval
from masklet.evaluation.reporting.table import Emphasis, Row, Table

MEAN = "mean"
EDGES = ("  95 %: from", "  to")


@dataclass(frozen=True)
class Curve:
    """A line of a diagram: what the legend calls it, and its points; `y` between 0 and 1."""

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]


@dataclass(frozen=True)
class Level:
    """A line across a diagram, of what does not depend on x: what the legend calls it, and its `y` between 0 and 1."""

    label: str
    y: float


@dataclass(frozen=True)
class Report:
    """What one predictor reached; a mean is over the objects of a dataset, then over the datasets."""

    title: ClassVar[str]
    x_label: ClassVar[str]
    y_label: ClassVar[str]
    item_kind: ClassVar[str]

    predictor: str
    items: tuple[MeasuredItem, ...]

    def __post_init__(self) -> None:
        for dataset, items in self.datasets.items():
            if not any(item.object_ids for item in items):
                raise InvalidInputError(
                    f"Nothing to measure: '{dataset}' has {len(items)} {self.item_kind}, no objects."
                )

    @cached_property
    def datasets(self) -> dict[str, tuple[MeasuredItem, ...]]:
        """The items of each dataset."""
        names = dict.fromkeys(item.dataset for item in self.items)
        return {name: tuple(item for item in self.items if item.dataset == name) for name in names}

    @cached_property
    def means(self) -> dict[str, float]:
        """The mean of each measure, 0 to 1, over the datasets that have objects of its kind."""
        of_datasets = [mean_values(items) for items in self.datasets.values()]
        measures = dict.fromkeys(measure for means in of_datasets for measure in means)
        return {each: float(np.mean([means[each] for means in of_datasets if each in means])) for each in measures}

    @cached_property
    def amounts(self) -> dict[str, float]:
        """The mean of each amount, over the datasets that have it."""
        of_datasets = [mean_amounts(items) for items in self.datasets.values()]
        names = dict.fromkeys(name for means in of_datasets for name in means)
        return {each: float(np.mean([means[each] for means in of_datasets if each in means])) for each in names}

    @cached_property
    def intervals(self) -> dict[str, Interval | None]:
        """Where the mean of each measure lies with a probability of 95 %; None where too little was measured."""
        return {each: confidence_interval(self.values_of(each)) for each in self.means}

    def values_of(self, measure: str) -> list[list[tuple[float, ...]]]:
        """Return the values of `measure` of each dataset that has any, each item, each object."""
        of_datasets = [[item.values.get(measure, ()) for item in items] for items in self.datasets.values()]
        return [values for values in of_datasets if any(values)]

    def rows(self) -> list[tuple[str, Sequence[MeasuredItem]]]:
        """Return the rows of the table: a name and the items that it is about; the mean over all comes on top."""
        return [(item.name, (item,)) for item in self.items]

    def shown(self) -> dict[str, str]:
        """Return the measures of the table by their headings."""
        return {each: each for each in self.means}

    def amounts_shown(self) -> dict[str, Callable[[float], str]]:
        """Return the amounts of the table by their headings, each with how it is written down."""
        return {}

    def compared(self) -> dict[str, str]:
        """Return the measures of the table that compares two models, of which there is room for four."""
        return self.shown()

    def curves(self) -> Sequence[Curve | Level]:
        """Return the lines of the diagram."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON."""
        raise NotImplementedError

    def to_json(self) -> str:
        """Return the report as JSON."""
        return json.dumps(self.to_dict(), indent=2)

    def csv(self) -> str:
        """Return one line an item with the mean of each measure over its objects, 0 to 1."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        amounts = mean_amounts(self.items)
        writer.writerow(["dataset", "name", "frames", "objects", *self.means, *amounts])
        for item in self.items:
            means = mean_values([item]) | item.amounts
            cells = [f"{means[each]:.6f}" if each in means else "" for each in (*self.means, *amounts)]
            writer.writerow([item.dataset, item.name, item.frames, len(item.object_ids), *cells])
        return text.getvalue()


def percent(value: float | None) -> str:
    """Return a share (0 to 1) in percent with one digit, a dash for None."""
    return "-" if value is None else f"{100 * value:.1f}"


def number_of(count: int, noun: str) -> str:
    """Return a number of things: "1 click", "3 clicks"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def report_table(reports: Sequence[Report]) -> Table:
    """Return, in percent, a row per item or dataset, the mean, and between which values it lies at 95 %."""
    shown = {heading: measure for report in reports for heading, measure in report.shown().items()}
    rows = tuple(row for report in reports for row in _rows(report, list(shown.values())))
    amounts = reports[0].amounts_shown()
    return Table(f"{reports[0].title}, %", ("objects", *shown, *amounts), rows, is_dense=bool(amounts))


def _rows(report: Report, measures: Sequence[str]) -> Iterator[Row]:
    def cells(
        values: Mapping[str, float], amounts: Mapping[str, float], items: Sequence[MeasuredItem]
    ) -> tuple[str, ...]:
        count = str(sum(len(item.object_ids) for item in items))
        written = [
            as_text(amounts[name]) if name in amounts else "-" for name, as_text in report.amounts_shown().items()
        ]
        return count, *(percent(values.get(measure)) for measure in measures), *written

    yield Row(report.predictor, emphasis=Emphasis.HEADING)
    for name, items in report.rows():
        yield Row(name, cells(mean_values(items), mean_amounts(items), items))
    yield Row(MEAN, cells(report.means, report.amounts, report.items), Emphasis.TOTAL)
    intervals = [report.intervals.get(measure) for measure in measures]
    for at, name in enumerate(EDGES):
        edges = (percent(None if each is None else each[at]) for each in intervals)
        yield Row(name, ("", *edges), ends_section=name == EDGES[-1])
