"""Evaluations of which machines do a part each."""

import json
from pathlib import Path

import pytest
from tests.support.annotated_folders import write_coco, write_sequences
from tests.support.command_errors import assert_one_line
from typer.testing import CliRunner, Result

from masklet.cli.exit_codes import ExitCode
from masklet.cli.main import app


def evaluate(kind: str, root: Path, predictor: str, *more: object) -> Result:
    return CliRunner().invoke(app, ["evaluate", kind, str(root), "--predictor", predictor, *map(str, more)])


@pytest.mark.parametrize(
    ("kind", "write", "predictor"), [("vos", write_sequences, "repeat"), ("stills", write_coco, "ellipse")]
)
def test_the_last_part_reports_the_figures_of_one_machine(tmp_path: Path, kind: str, write, predictor: str) -> None:
    write(root := tmp_path / "data")
    alone = evaluate(kind, root, predictor, "-o", tmp_path / "alone.json")
    parts = [
        evaluate(
            kind, root, predictor, "-o", tmp_path / "parts.json", "--report", tmp_path / "out", "--shard", f"{n}/2"
        )
        for n in (2, 1)
    ]
    assert [each.exit_code for each in (alone, *parts)] == [0, 0, 0], parts
    assert "the last one to finish writes the report" in parts[0].stderr
    assert parts[0].stdout == ""
    assert parts[1].stdout == alone.stdout
    assert json.loads((tmp_path / "parts.json").read_text()) == json.loads((tmp_path / "alone.json").read_text())


def test_parts_need_a_folder_that_machines_share(tmp_path: Path) -> None:
    write_sequences(tmp_path)
    assert_one_line(
        evaluate("vos", tmp_path, "repeat", "--shard", "1/2"), ExitCode.WRONG_USAGE, "--shard needs --report"
    )
