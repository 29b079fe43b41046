"""Measurements that are given again measure what is missing, and mix nothing."""

import json
from pathlib import Path

import pytest
from benchmarks.gpu import measured_parts
from benchmarks.tables import gpu_markdown, table_of


def test_parts_of_the_gpu_that_fail_are_named_and_measured_again(tmp_path: Path) -> None:
    """The others are written at once, and not measured again."""
    output, calls = tmp_path / "gpu.json", []
    about = {"model": "tiny", "machine": {"processor": "any"}, "versions": {}}
    rows = [{"task": "a frame, 1 object", "opponent": "masklet", "is_compiled": False, "median_s": 0.5}]

    def images() -> dict[str, float]:
        calls.append("images")
        return {"images a second": 2.0}

    def tracking() -> list[dict[str, object]]:
        assert json.loads(output.read_text())["measured"]  # which a process that is killed now leaves behind
        calls.append("tracking")
        if len(calls) == 2:
            raise RuntimeError("CUDA out of memory.\nTried to allocate more")
        return rows

    parts = {"images": images, "tracking, 1 objects": tracking}
    shown = gpu_markdown(measured_parts(about, parts, output))
    assert "- tracking, 1 objects failed: RuntimeError: CUDA out of memory." in shown
    assert "- images, images a second: 2" in shown
    measured_parts(about, parts, output)
    assert calls == ["images", "tracking", "tracking"]
    shown = table_of(json.loads(output.read_text()))
    assert "| a frame, 1 object | 2.0 |" in shown
    assert "failed" not in shown


@pytest.mark.parametrize(
    ("what", "value"), [("model", "large"), ("machine", {"cores": 8}), ("versions", {"torch": "3"})]
)
def test_what_was_measured_elsewhere_is_not_added_to(what: str, value: object, tmp_path: Path) -> None:
    output = tmp_path / "gpu.json"
    about = {"model": "tiny", "machine": {"cores": 2}, "versions": {"torch": "2"}}
    before = measured_parts(about, {"images": lambda: {"images a second": 2.0}}, output)
    with pytest.raises(SystemExit, match=f"with another {what}: .*; give another --output"):
        measured_parts({**about, what: value}, {"profile": dict}, output)
    assert json.loads(output.read_text()) == before
