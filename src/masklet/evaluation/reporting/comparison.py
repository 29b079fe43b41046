"""Two checkpoints in one table, with their differences."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from masklet.errors import InvalidInputError
from masklet.evaluation.reporting.intervals import Interval, confidence_interval
from masklet.evaluation.reporting.measured_item import mean_values
from masklet.evaluation.reporting.report import EDGES, MEAN, Report, narrow_table, percent


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
        """Return by how much the second mean of each measure is above the first, -1 to 1."""
        return {each: self.second.means[each] - mean for each, mean in self.first.means.items()}

    def interval(self, measure: str) -> Interval | None:
        """Return where the difference lies with a probability of 95 %: both results of an item are taken together."""
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
        columns = [column for heading in shown for column in (f"{heading}\nA", "\nB", "\nB-A")]
        table = narrow_table(f"{self.first.title}, %\nA: {self.first.predictor}\nB: {self.second.predictor}", columns)
        table.padding = 0  # one space between columns: room for names beside four measures
        rows = [
            (name, mean_values(first), mean_values(second))
            for (name, first), (_, second) in zip(self.first.rows(), self.second.rows(), strict=True)
        ]
        for name, first, second in [*rows, (MEAN, self.first.means, self.second.means)]:
            cells = [text for measure in shown.values() for text in _cells(first.get(measure), second.get(measure))]
            table.add_row(name, *cells, style="bold" if name == MEAN else None)
        intervals = [self.interval(measure) for measure in shown.values()]
        for name, edge in zip(EDGES, range(2), strict=True):
            cells = [text for each in intervals for text in ("", "", "-" if each is None else _signed(each[edge]))]
            table.add_row(name, *cells)
        return table


def _cells(first: float | None, second: float | None) -> Sequence[str]:
    difference = "-" if first is None or second is None else _signed(second - first)
    return percent(first), percent(second), difference


def _signed(value: float) -> str:
    return f"{100 * value:+.1f}"
