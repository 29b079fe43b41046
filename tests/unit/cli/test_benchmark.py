"""`masklet benchmark`: which ways to run a model are measured, and what is not that model."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from masklet.cli.exit_codes import ExitCode
from masklet.cli.main import app
from masklet.evaluation import speed
from masklet.runtimes import compiled, opening
from masklet.runtimes.manifest import Manifest
from masklet.runtimes.names import OF_FOLDERS, Parts

Folders = tuple[Path, Path]


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ways that are measured, each in no time at all; this machine has no compiler, and rounds no faster."""
    names: list[str] = []

    def measured_speeds(trackers: dict[str, Any], *others: Any) -> dict[str, speed.Speed]:
        names.extend(trackers)
        return dict.fromkeys(trackers, speed.Speed(1.0, 1.0, 1.0, 1.0))

    monkeypatch.setattr(speed, "measured_speeds", measured_speeds)
    monkeypatch.setattr(compiled, "can_compile", lambda device: False)
    monkeypatch.setattr("masklet.devices.is_bfloat16_faster", lambda device: False)
    return names


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["benchmark", *map(str, arguments), "--device", "cpu"])


def refused(message: str, *arguments: object) -> None:
    result = run(*arguments)
    assert result.exit_code == ExitCode.WRONG_USAGE
    assert message in " ".join(result.stderr.split())


@pytest.mark.filterwarnings("default")  # torch's compiler uses what torch itself has deprecated
def test_a_checkpoint_in_all_presets_and_compiled_where_there_is_a_compiler(
    exported_model: Folders, measured: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(exported_model[0]).exit_code == ExitCode.DONE
    assert measured == ["eager, exact", "eager, fast"]
    measured.clear()
    monkeypatch.setattr(compiled, "can_compile", lambda device: True)
    assert run(exported_model[0]).exit_code == ExitCode.DONE
    assert measured == ["eager, exact", "eager, fast", "compiled, exact"]
    measured.clear()
    assert run(exported_model[0], "--no-compiled").exit_code == ExitCode.DONE
    assert measured == ["eager, exact", "eager, fast"]


def test_graphs_in_the_runtimes_that_read_them(
    exported_model: Folders, measured: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the checkpoint, and alone."""
    monkeypatch.setattr(opening, "is_installed", lambda name: True)
    assert run(exported_model[0], "--exported", exported_model[1]).exit_code == ExitCode.DONE
    assert measured == ["eager, exact", "eager, fast", "openvino, float32", "onnxruntime, float32"]
    measured.clear()
    assert run(exported_model[1]).exit_code == ExitCode.DONE
    assert measured == [f"{name}, float32" for name in OF_FOLDERS]


def test_what_is_no_folder_of_this_model_is_refused(exported_model: Folders, measured: list[str]) -> None:
    checkpoint, graphs = exported_model
    refused("--exported names a folder that `masklet export` wrote", checkpoint, "--exported", checkpoint)
    refused("which is not the checkpoint that is measured, the bundled model", "--exported", graphs)
    refused("give that one as MODEL", graphs, "--exported", graphs)
    refused("--seconds", checkpoint, "--seconds", 0)
    assert not measured


def test_graphs_that_nothing_here_runs_are_refused(
    exported_model: Folders, measured: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a model, and beside one that was measured without them."""
    monkeypatch.setattr(opening, "is_installed", lambda name: False)
    checkpoint, graphs = exported_model
    refused("nothing here runs them: pip install 'masklet[openvino]'", graphs)
    refused("nothing here runs them: pip install 'masklet[openvino]'", checkpoint, "--exported", graphs)
    assert not measured


def test_graphs_for_images_alone_are_refused(exported_model: Folders, measured: list[str], tmp_path: Path) -> None:
    """They may be of the model that is measured, though its network for images has a fingerprint of its own."""
    checkpoint, graphs = exported_model
    folder = tmp_path / "images"
    shutil.copytree(graphs, folder)
    manifest = Manifest.read(folder)
    of_images = {name: manifest.graphs[name] for name in Parts.IMAGES.graphs}
    replace(manifest, graphs=of_images, fingerprint="of the network for images").write(folder)
    refused("was exported with --parts images, and tracking is measured, too", checkpoint, "--exported", folder)
    refused("export it with --parts all", folder)
    assert not measured


def test_what_was_measured_is_a_table(exported_model: Folders) -> None:
    result = run(exported_model[0], "--exported", exported_model[1], "--seconds", 1, "--no-compiled")
    assert result.exit_code == ExitCode.DONE, result.output
    rows = [line.split() for line in result.stdout.splitlines() if ", " in line and line.split()[-1][0].isdigit()]
    agreement = {" ".join(words[:2]): float(words[-1]) for words in rows}
    assert agreement["eager, exact"] == 1
    for name in filter(opening.is_installed, OF_FOLDERS):
        assert agreement[f"{name}, float32"] > 0.99
