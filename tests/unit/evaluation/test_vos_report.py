import json

import pytest
from rich.console import Console

from masklet.evaluation.vos_report import SequenceScores, VosReport, VosScores, vos_table
from masklet.evaluation.vos_scores import CountingRule, ObjectScores, Statistics


def scores(object_id, j, f):
    return ObjectScores(object_id, Statistics(j, 1.0, 0.25), Statistics(f, 0.5, -0.25))


ONE = SequenceScores("swan", 40, (scores(1, 0.5, 0.25),))
TWO = SequenceScores("pair", 20, (scores(1, 1.0, 0.5), scores(2, 0.6, 0.3)))
REPORT = VosReport("flow", CountingRule.DAVIS, (ONE, TWO))


def test_the_mean_is_over_objects():
    assert REPORT.scores.j.mean == pytest.approx(0.7)
    assert REPORT.scores.f.mean == pytest.approx(0.35)
    assert REPORT.scores.j_and_f == pytest.approx(0.525)


def test_the_numbers_have_the_names_of_the_official_tool():
    assert VosScores.over(ONE.objects).named() == {
        "J&F-Mean": 0.375,
        "J-Mean": 0.5,
        "J-Recall": 1.0,
        "J-Decay": 0.25,
        "F-Mean": 0.25,
        "F-Recall": 0.5,
        "F-Decay": -0.25,
    }


def test_json():
    content = json.loads(REPORT.to_json())
    assert (content["predictor"], content["rule"]) == ("flow", "davis")
    assert content["scores"]["J&F-Mean"] == pytest.approx(0.525)
    assert [each["sequence"] for each in content["sequences"]] == ["swan", "pair"]
    assert content["sequences"][1]["objects"][1]["j"]["mean"] == 0.6


def test_table():
    console = Console(width=80)
    with console.capture() as capture:
        console.print(vos_table([REPORT, VosReport("repeat", CountingRule.DAVIS, (ONE,))]))
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in capture.get().splitlines() if "│" in line]
    assert rows == [
        ["flow", "swan", "0.375", "0.500", "0.250", "1.000", "0.500"],
        ["", "pair", "0.600", "0.800", "0.400", "1.000", "0.500"],
        ["", "mean", "0.525", "0.700", "0.350", "1.000", "0.500"],
        ["repeat", "swan", "0.375", "0.500", "0.250", "1.000", "0.500"],
        ["", "mean", "0.375", "0.500", "0.250", "1.000", "0.500"],
    ]
