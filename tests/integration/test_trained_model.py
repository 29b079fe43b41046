"""What training leaves is a checkpoint like any other."""

import json
from pathlib import Path

import pytest
import torch
from tests.support.small_recipes import saved_state, small_recipe, write_plain_images
from typer.testing import CliRunner

from masklet import Sam2Model, Sam2VideoModel
from masklet.cli.exit_codes import ExitCode
from masklet.cli.main import app
from masklet.training.run.run_record import RECORD_FILE
from masklet.training.run.run_state import AVERAGE_FOLDER
from masklet.training.run.trainer import Trainer
from masklet.training.settings.procedure import ClipTracking
from masklet.training.settings.stages import ClipStage


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One step on a clip: the whole of the network has learnt."""
    folder = tmp_path_factory.mktemp("trained")
    stage = ClipStage(64, 1, 1, 1, clip_length=2, clips_per_step=1, objects_per_clip=1)
    recipe = small_recipe(
        write_plain_images(folder / "pictures"), stages=(stage,), tracking=ClipTracking(corrections=0), warmup_steps=0
    )
    Trainer(recipe, folder / "run").run()
    return folder / "run"


def assert_same_weights(model: torch.nn.Module, expected: dict[str, torch.Tensor]) -> None:
    found = model.state_dict()
    assert found.keys() == expected.keys()
    assert [name for name, tensor in expected.items() if not torch.equal(found[name], tensor)] == []


def test_it_loads_for_images_and_for_videos(run: Path) -> None:
    expected = saved_state(run)["ema_weights"]
    video = Sam2VideoModel.from_pretrained(run / AVERAGE_FOLDER)
    assert_same_weights(video, expected)
    assert video.config.image_size == 64
    image = Sam2Model.from_pretrained(run / AVERAGE_FOLDER)
    assert_same_weights(image, {name: expected[name] for name in image.state_dict()})


def test_its_configuration_names_the_class_that_reads_it_and_its_record_lies_beside(run: Path) -> None:
    config = json.loads((run / AVERAGE_FOLDER / "config.json").read_text())
    assert config["architectures"] == ["Sam2VideoModel"]
    assert json.loads((run / AVERAGE_FOLDER / RECORD_FILE).read_text()) == json.loads((run / RECORD_FILE).read_text())


@pytest.mark.parametrize(("layout", "target"), [("meta", "model.pt"), ("current", "transformers")])
def test_it_converts_to_others_layouts_and_back_without_a_changed_bit(
    run: Path, tmp_path: Path, layout: str, target: str
) -> None:
    converted = tmp_path / target
    result = CliRunner().invoke(app, ["convert", str(run / AVERAGE_FOLDER), str(converted), "--to", layout])
    assert result.exit_code == 0, result.output
    assert_same_weights(Sam2VideoModel.from_pretrained(converted), saved_state(run)["ema_weights"])


def test_names_of_earlier_versions_are_refused_where_their_configuration_has_no_word_for_the_model(
    run: Path, tmp_path: Path
) -> None:
    """The layout "seed" cannot say how wide the memory fuser is; what was never written is not left half-written."""
    result = CliRunner().invoke(app, ["convert", str(run / AVERAGE_FOLDER), str(tmp_path / "old"), "--to", "seed"])
    assert result.exit_code == ExitCode.FILE_PROBLEM
    (line,) = result.stderr.splitlines()
    assert "cannot express memory_fuser_intermediate_dim=64; write the layout 'current' instead" in line
    assert not (tmp_path / "old").exists()
