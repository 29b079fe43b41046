"""What reports read again of a run's folder, whatever has become of the files."""

import json
from pathlib import Path
from typing import Any

import pytest

from masklet.errors import CheckpointError
from masklet.training.reports.measurements import MEASUREMENTS, Measurement, read_measurements
from masklet.training.reports.step_log import STEP_LOG, read_steps

LINE = {"step": 1, "time": "2026-01-01T00:00:00.000+00:00", "loss": 0.5, "seconds": None}


def test_lines_that_are_no_steps_are_left_out(tmp_path: Path) -> None:
    wrong: list[Any] = [7, None, [], {}, {**LINE, "step": "1"}, {**LINE, "time": 3}, {**LINE, "loss": "low"}]
    texts = [json.dumps(LINE), "{", "[" * 100_000, *map(json.dumps, wrong), json.dumps({**LINE, "step": 2})]
    (tmp_path / STEP_LOG).write_bytes("\n".join(texts).encode() + b"\n\xff\xfe")
    assert read_steps(tmp_path) == [LINE, {**LINE, "step": 2}]


def test_measurements_come_back(tmp_path: Path) -> None:
    assert read_measurements(tmp_path) == []
    (tmp_path / MEASUREMENTS).write_text('[{"dataset": "a", "measure": "mIoU", "before": 0.5}]')
    assert read_measurements(tmp_path) == [Measurement("a", "mIoU", 0.5)]


@pytest.mark.parametrize(
    "content",
    ["{", "[" * 100_000, "7", "[7]", "[{}]", '[{"dataset": "a", "measure": 3}]',
     '[{"dataset": "a", "measure": "b", "after": "c"}]', '[{"dataset": "a", "measure": "b", "before": NaN}]'],
)  # fmt: skip
def test_what_are_no_measurements_is_named(content: str, tmp_path: Path) -> None:
    (tmp_path / MEASUREMENTS).write_text(content)
    with pytest.raises(CheckpointError, match=r"measurements.json is damaged .*remove it"):
        read_measurements(tmp_path)
