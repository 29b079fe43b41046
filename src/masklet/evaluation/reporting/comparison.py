"""A comparison of two checkpoints: both results and their differences."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from masklet.errors import InvalidInputError
from masklet.evaluation.measured_item import mean_values
from masklet.evaluation.reporting.intervals import Interval, confidence_interval
from masklet.evaluation.reporting.report import EDGES, MEAN, Report, percent
from masklet.evaluation.reporting.table import Emphasis, Row, Table


@dataclass(frozen=True)
class Comparison:
    """Two reports on the same items, the second one measured against the first.

    InvalidInputError if the items differ, or their objects.
    """

    first: Report
    second: Report

    def __post_init__(self) -> None:
        first, second = ([(item.name, item.object_ids) for item in each.items] for each in (self.first, self.second))
        if first != second:
            raise InvalidInputError(
                f"{self.first.predictor} and {self.second.predictor} were not measured on the same objects; "
                "measure both on the same data with the same options."
            )

    def differences(self) -> dict[str, float]:
        """Return the second mean of each measure less the first, -1 to 1."""
        return {each: self.second.means[each] - mean for each, mean in self.first.means.items()}

    def interval(self, measure: str) -> Interval | None:
        """Return the 95 % confidence interval of the difference, paired by items."""
        pairs = zip(self.first.values_of(measure), self.second.values_of(measure), strict=True)
        return confidence_interval(
            [
                [
                    [after - before for before, after in zip(earlier, later, strict=True)]
                    for earlier, later in zip(first, second, strict=True)
                ]
                for first, second in pairs
            ]
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the differences of the means and their intervals as values that JSON knows."""
        return {
            "predictors": [self.first.predictor, self.second.predictor],
            "differences": self.differences(),
            "difference_intervals": {each: self.interval(each) for each in self.first.means},
        }

    def table(self) -> Table:
        """Return one row per item or dataset and for the mean: of each measure both results and the difference."""
        shown = self.first.compared()
        headings = tuple(column for heading in shown for column in (f"{heading}\nA", "\nB", "\nB-A"))
        title = f"{self.first.title}, %\nA: {self.first.predictor}\nB: {self.second.predictor}"
        return Table(title, headings, tuple(self._table_rows(list(shown.values()))), is_dense=True)

    def _table_rows(self, measures: Sequence[str]) -> Iterator[Row]:
        def cells(first: Mapping[str, float], second: Mapping[str, float]) -> tuple[str, ...]:
            return tuple(text for each in measures for text in _cells(first.get(each), second.get(each)))

        for (name, first), (_, second) in zip(self.first.rows(), self.second.rows(), strict=True):
            yield Row(name, cells(mean_values(first), mean_values(second)))
        yield Row(MEAN, cells(self.first.means, self.second.means), Emphasis.TOTAL)
        intervals = [self.interval(each) for each in measures]
        for at, name in enumerate(EDGES):
            edges = ("-" if each is None else _signed(each[at]) for each in intervals)
            yield Row(name, tuple(text for edge in edges for text in ("", "", edge)))


def _cells(first: float | None, second: float | None) -> Sequence[str]:
    difference = "-" if first is None or second is None else _signed(second - first)
    return percent(first), percent(second), difference


def _signed(value: float) -> str:
    return f"{100 * value:+.1f}"
