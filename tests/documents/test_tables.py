"""What was measured can be shown as a table, whichever program measured it."""

import json
from pathlib import Path

import pytest
from benchmarks.tables import RESULTS, table_of
from tests.documents.markdown import name_of


@pytest.mark.parametrize("results", sorted(RESULTS.glob("*.json")), ids=name_of)
def test_every_results_file_is_a_table(results: Path) -> None:
    rows = [line for line in table_of(json.loads(results.read_text(encoding="utf-8"))).splitlines() if line[:1] == "|"]
    assert len(rows) > 2


def test_the_table_of_the_procedural_world() -> None:
    rates = {"scenes": {"made_a_second": 26.3, "used_a_second": 2.96}}
    assert table_of({"rates": rates}).splitlines()[-1] == "| scenes | 26.3 | 2.96 | 9 |"
