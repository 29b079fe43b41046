import io

from rich.console import Console
from tests.support.measured_reports import vos_report

from masklet.cli.tables import drawn_table
from masklet.evaluation.reporting.comparison import Comparison
from masklet.evaluation.reporting.report import report_table


def lines_of(table, width=80):
    console = Console(width=width, file=io.StringIO())
    console.print(drawn_table(table))
    return [line.split() for line in console.file.getvalue().splitlines()]


def test_reports_of_videos_fit_into_a_terminal():
    lines = lines_of(report_table([vos_report(), vos_report("a/long/path/to/a/folder/of/weights")]))
    assert ["swan", "1", "37.5", "50.0", "25.0", "0.0", "0.0", "0.0", "0.0"] in lines
    assert ["mean", "3", "52.5", "70.0", "35.0", "66.7", "0.0", "0.0", "0.0"] in lines


def test_comparisons_of_videos_fit_into_a_terminal():
    lines = lines_of(Comparison(vos_report("before"), vos_report("after")).table())
    assert ["pair", "60.0", "60.0", "+0.0", "80.0", "80.0", "+0.0", "40.0", "40.0", "+0.0"] in lines
    assert ["B:", "after"] in lines
