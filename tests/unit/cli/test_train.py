"""`masklet train`: what it refuses before anything long, what it says, and a checkpoint that has gone meanwhile."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.support.annotated_data import write_images
from tests.support.small_recipes import small_video_config, write_plain_images
from typer.testing import CliRunner

from masklet import Sam2VideoModel
from masklet.cli.exit_codes import ExitCode
from masklet.cli.main import app
from masklet.datasets import checking
from masklet.training.run.devices import Devices
from masklet.training.run.trainer import Trainer

SHORT = {"stages.0.steps": 2, "stages.0.scenes_per_step": 1, "prompt_rounds": 1, "loader_workers": 0, "save_every": 1}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with annotated images, `cells`, and a small `model`."""
    monkeypatch.chdir(tmp_path)
    write_images(tmp_path / "cells", 1)
    torch.manual_seed(0)
    Sam2VideoModel(small_video_config()).save_pretrained(tmp_path / "model")
    return tmp_path


def train(recipe: str, *options: str) -> Any:
    fields = [word for name, value in SHORT.items() for word in ("--set", f"{name}={value}")]
    given = ["train", recipe, "--data", "cells", "--from", "model", "-o", "run", "--device", "cpu", *fields, *options]
    return CliRunner().invoke(app, given)


@pytest.mark.parametrize(
    ("recipe", "change", "told"),
    [
        ("finetune-video", "seed=1", "trains on clips, but cells hold images only"),
        ("finetune-image", "data.procedural=1", "data.procedural=1.0 needs procedural scenes, and there are no"),
        ("finetune-image", "model.num_maskmem=4", "model.num_maskmem=4 (checkpoint: 3)"),
        (
            "finetune-image",
            "model.memory_attention_num_layers=2",
            "model.memory_attention_num_layers=2 (checkpoint: 1)",
        ),
        (
            "finetune-image",
            "model.memory_encoder_hidden_size=-1",
            "memory_encoder_hidden_size=-1 in a configuration; it must be from 1 to 65536",
        ),
        ("finetune-image", "model.image_size=64", "model.image_size follows from the stages: set stages.0.image_size"),
        ("finetune-image", "losses.dice=-1", "LossWeights.dice=-1.0; it must be at least 0"),
        ("finetune-image", "prompts.mask=2", "PromptShares.mask=2.0; it must be at least 0 and at most 1"),
    ],
)
def test_what_cannot_be_trained_is_reported_in_a_line_before_anything_long(
    here: Path, recipe: str, change: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_late(root: Path) -> None:
        raise AssertionError

    monkeypatch.setattr(checking, "require_sound", too_late)
    result = train(recipe, "--set", change)
    assert (result.exit_code, result.stdout) == (ExitCode.WRONG_USAGE, ""), result.stderr
    (line,) = result.stderr.splitlines()
    assert told in line
    assert not (here / "run").exists()


def test_a_file_that_is_no_dataset_is_refused(here: Path) -> None:
    (here / "train.txt").write_text("bike")
    result = train("finetune-image", "--data", "train.txt")
    assert result.exit_code == ExitCode.WRONG_USAGE
    assert "train.txt is no dataset" in result.stderr


def interrupted_after_one_step(monkeypatch: pytest.MonkeyPatch) -> None:
    take = Trainer._train_on

    def once(trainer: Trainer, batches: object) -> object:
        if trainer.step == 1:
            raise KeyboardInterrupt
        return take(trainer, batches)  # type: ignore[arg-type]

    monkeypatch.setattr(Trainer, "_train_on", once)


@pytest.mark.parametrize("becomes", ["nothing", "another", "itself"])
def test_a_run_goes_on_without_the_checkpoint_that_it_began_with(
    here: Path, becomes: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its record keeps naming the weights that it began with by their checksum."""
    with monkeypatch.context() as during:
        interrupted_after_one_step(during)
        assert train("finetune-image").exit_code == ExitCode.INTERRUPTED
    begun = json.loads((here / "run/run.json").read_text())
    assert len(begun["initial_checksum"]) == 64
    if becomes != "itself":
        shutil.rmtree(here / "model")
    if becomes == "another":
        Sam2VideoModel(small_video_config()).save_pretrained(here / "model")
    finished = train("finetune-image")
    assert finished.exit_code == ExitCode.DONE, finished.output
    assert ("model is not what this run began with any more" in finished.stdout) == (becomes != "itself")
    for record in (here / "run/run.json", here / "run/average/run.json"):
        assert json.loads(record.read_text())["initial_checksum"] == begun["initial_checksum"]


def test_only_the_first_of_several_processes_says_anything(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_plain_images(here / "mere")
    first = train("finetune-image", "--data", "mere")
    begins = [line.split()[0] for line in first.stdout.splitlines()]
    assert begins == ["mere:", "Estimated", "Training", "step", "step", "run/average"]
    (note,) = first.stderr.splitlines()
    assert note.startswith("Note: transformers cannot run this network: global attention in block 6")
    monkeypatch.setattr(Devices, "is_first", False)
    shutil.rmtree(here / "run")
    other = train("finetune-image", "--data", "mere")
    assert (other.exit_code, other.output) == (ExitCode.DONE, "")
