"""`masklet export`, and its folder as the model of other commands."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.support.exported_graphs import copy_graphs_of
from typer.testing import CliRunner

from masklet.cli.exit_codes import ExitCode
from masklet.cli.main import app
from masklet.runtimes.names import GraphName


def test_a_folder_is_written_and_segments(
    exported_model: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_graphs_of(exported_model[1], monkeypatch)
    folder, image = tmp_path / "graphs", tmp_path / "noise.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)).save(image)
    command = ["export", str(exported_model[0]), "-o", str(folder)]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == ExitCode.DONE, result.output
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["difference", "from", "the", "model", "1", "obj.", "2", "obj.", "4", "obj."]
    assert {line.split()[0] for line in lines[1:-1]} == {each.value for each in GraphName}
    assert lines[-1] == str(folder)
    found = []
    for name, model in enumerate((exported_model[0], folder)):
        out = tmp_path / str(name)
        result = CliRunner().invoke(
            app, ["segment", str(image), "--point", "20,30", "--model", str(model), "-o", str(out)]
        )
        assert result.exit_code == ExitCode.DONE, result.output
        found.append(json.loads((out / "noise.json").read_text())["annotations"])
    assert found[0][0]["segmentation"] == found[1][0]["segmentation"]
    assert "Runtime: " in result.stderr
    described = CliRunner().invoke(app, ["info", "--model", str(folder)]).stdout
    assert f"{folder}: 7 graphs of {exported_model[0]}, onnx, float32, image size 96" in described
    assert "runtime" in described


def test_what_is_left_out_is_named(
    exported_model: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = CliRunner().invoke(app, ["export", "-o", str(tmp_path), "--precision", "int8"])
    assert result.exit_code == ExitCode.WRONG_USAGE
    assert "give --calibrate IMAGES" in result.stderr
