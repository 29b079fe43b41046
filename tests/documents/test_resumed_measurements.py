"""Measurements that are given again measure what is missing, and mix nothing."""

import json
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from benchmarks import contenders, runtimes, small_objects
from benchmarks.gpu import measured_parts
from benchmarks.opponents import CONFIGURATION
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


class NoModel:
    """A way to run a model that loads none."""

    def __init__(self, weights: Path, preset: str, runtime: str) -> None:
        self.name = f"{runtime}, {preset}"


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of weights; masklet and the references run none, and what would be measured is who takes part."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / CONFIGURATION).write_text(json.dumps({"image_size": 64}))

    def fails(*arguments: object) -> contenders.Contender:
        raise KeyError("not\nits configuration")

    monkeypatch.setattr(contenders, "is_bfloat16_faster", lambda device: False)
    monkeypatch.setattr(contenders, "MaskletWay", NoModel)
    monkeypatch.setattr(contenders, "_reference", fails)
    monkeypatch.setattr(contenders, "_reference_encoder", fails)
    monkeypatch.setattr(runtimes, "measure_part", lambda ways, *others: [each.name for each in ways])
    return folder


def measured_lanes(weights: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Give the command (again); return the names of those that were measured by lane."""
    output = weights.parent / "runtimes.json"
    options = ["--models", "tiny", "--threads", "1", "--tasks", "images", "--lanes", "masklet", "meta", "onnxruntime"]
    command = ["benchmarks.runtimes", "--folder", str(weights.parent), *options, "--output", str(output)]
    monkeypatch.setattr("sys.argv", command)
    runtimes.main()
    parts: list[dict[str, Any]] = json.loads(output.read_text())["parts"]
    return {part["lane"]: part["rows"] for part in parts}


def test_a_lane_counts_as_measured_once_it_runs(
    weights: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A reference's encoder that cannot be a graph is only named, as the graphs of masklet are there without it."""
    assert measured_lanes(weights, monkeypatch) == {"masklet": ["eager, exact", "eager, fast"]}
    errors = capsys.readouterr().err
    assert "tiny, 1, meta, images: not measured, because meta does not run this model: 'not" in errors
    assert f"tiny, 1, onnxruntime, images: not measured, because masklet's graphs are not in {weights}" in errors
    (weights / contenders.EXPORTED).mkdir()
    assert measured_lanes(weights, monkeypatch)["onnxruntime"] == ["eager, exact", "onnxruntime, exact"]
    assert "meta's encoder in onnxruntime does not run this model" in capsys.readouterr().err


def test_small_objects_are_measured_once_on_a_processor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their seconds are compared with one another."""
    times = count(1)
    monkeypatch.setattr(small_objects, "measured", lambda *arguments: {"seconds_a_frame": next(times)})

    def seconds_on(name: str) -> int:
        monkeypatch.setattr(small_objects, "processor", lambda described: name)
        return small_objects.kept_row(tmp_path / "tiles", "zoom")["seconds_a_frame"]

    assert [seconds_on(name) for name in ("first", "first", "second")] == [1, 1, 2]
