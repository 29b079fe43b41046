import io

import pytest
from rich.console import Console

from masklet.errors import InvalidInputError
from masklet.evaluation.stills_report import DomainScores, StillsReport, stills_table


@pytest.fixture
def report():
    domains = (
        DomainScores("nuts", 18, 165, {"1 click": 40.0, "box": 80.0}),
        DomainScores("cars", 50, 401, {"1 click": 30.0, "box": 71.0}),
    )
    return StillsReport("ours", domains)


def text_of(table):
    console = Console(file=io.StringIO(), width=120)
    console.print(table)
    return [line.replace("│", " ").split() for line in console.file.getvalue().splitlines()]


def test_json_round_trip(report):
    assert StillsReport.from_json(report.to_json()) == report
    assert '"mean_iou"' in report.to_json()
    assert '"1 click": 35.0' in report.to_json()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"predictor": "a", "domains": [{}]}'])
def test_other_json(text):
    with pytest.raises(InvalidInputError, match="not the JSON"):
        StillsReport.from_json(text)


def test_table_has_the_domains_and_their_mean(report):
    lines = text_of(report.table())
    assert ["ours", "nuts", "165", "40.0", "80.0"] in lines
    assert ["ours", "mean", "566", "35.0", "75.5"] in lines


def test_table_of_several_predictors_marks_what_was_not_measured(report):
    ellipse = StillsReport("ellipse", (DomainScores("nuts", 18, 165, {"box": 78.0}),))
    lines = text_of(stills_table([report, ellipse]))
    assert ["ellipse", "nuts", "165", "-", "78.0"] in lines
    assert not any(line[:2] == ["ellipse", "mean"] for line in lines)
