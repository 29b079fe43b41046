"""What a run was, in JSON."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.small_recipes import small_recipe

from masklet.errors import CheckpointError
from masklet.training.run.run_record import RECORD_FILE, RunRecord, git_state
from masklet.training.settings.procedure import LossWeights
from masklet.training.settings.recipe import Hardware


def test_every_field_of_the_recipe_and_the_source_are_on_record(tmp_path: Path) -> None:
    RunRecord.of(small_recipe(tmp_path, learning_rate=0.25)).save(tmp_path)
    record = json.loads((tmp_path / RECORD_FILE).read_text())
    assert record["recipe"] == "small"
    assert record["settings"]["learning_rate"] == "0.25"
    assert record["settings"]["stages.1.steps"] == "2"
    assert record["settings"]["model.num_maskmem"] == "3"
    assert set(record) == {"recipe", "settings", "masklet", "torch", "git", "initial_checksum"}
    assert record["initial_checksum"] is None


def test_the_network_can_be_had_from_its_record(tmp_path: Path) -> None:
    recipe = small_recipe(tmp_path)
    RunRecord.of(recipe).save(tmp_path)
    record = RunRecord.load(tmp_path)
    assert record is not None
    assert record.model_config() == recipe.model
    assert RunRecord.load(tmp_path / "nothing") is None


def test_a_run_goes_on_with_the_same_settings_only(tmp_path: Path) -> None:
    recipe = small_recipe(tmp_path)
    RunRecord.of(recipe).check_goes_on(tmp_path)  # nothing there yet
    RunRecord.of(recipe).save(tmp_path)
    RunRecord.of(replace(recipe, loader_workers=3, hardware=Hardware(gradient_checkpointing=True))).check_goes_on(
        tmp_path
    )
    changed = replace(recipe, seed=1, losses=LossWeights(dice=4.0))
    with pytest.raises(
        CheckpointError, match=r"losses.dice=4.0 \(begun with 1.0\), seed=1 \(begun with 0\). Give another"
    ):
        RunRecord.of(changed).check_goes_on(tmp_path)


def test_a_number_may_be_written_in_another_way(tmp_path: Path) -> None:
    recipe = small_recipe(tmp_path)
    RunRecord.of(replace(recipe, losses=LossWeights(dice=2))).save(tmp_path)
    RunRecord.of(replace(recipe, losses=LossWeights(dice=2.0))).check_goes_on(tmp_path)


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    (tmp_path / RECORD_FILE).write_text("{")
    with pytest.raises(CheckpointError, match=r"run.json is damaged"):
        RunRecord.of(small_recipe(tmp_path)).check_goes_on(tmp_path)


def test_git_state(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
        subprocess.run(["git", "-C", str(tmp_path), *identity, *arguments], check=True, capture_output=True)

    package = tmp_path / "package"
    inner, module = package / "inner" / "other.py", package / "__init__.py"
    inner.parent.mkdir(parents=True)
    for file in (module, inner, tmp_path / "notes.txt"):
        file.write_text("one")
    assert git_state(module) is None
    git("init")
    assert git_state(module) is None  # as of a package that lies in somebody else's checkout
    git("add", ".")
    git("commit", "-m", "One")
    (tmp_path / "notes.txt").write_text("two")
    state = git_state(module)
    assert state is not None
    assert len(state["commit"]) == 40
    assert state["dirty"] is False
    inner.write_text("two")
    assert git_state(module) == {**state, "dirty": True}


@pytest.mark.parametrize(
    "change",
    [
        {"settings": 3},
        {"settings": {"seed": 0}},
        {"git": "abc"},
        {"git": {}},
        {"recipe": None},
        {"initial_checksum": 7},
    ],
)
def test_values_of_other_kinds_are_named(tmp_path: Path, change: dict[str, object]) -> None:
    RunRecord.of(small_recipe(tmp_path)).save(tmp_path)
    content = json.loads((tmp_path / RECORD_FILE).read_text())
    (tmp_path / RECORD_FILE).write_text(json.dumps({**content, **change}))
    with pytest.raises(CheckpointError, match=r"run.json is no record of a run"):
        RunRecord.load(tmp_path)


def test_deep_nesting_is_named(tmp_path: Path) -> None:
    (tmp_path / RECORD_FILE).write_text("[" * 100_000)
    with pytest.raises(CheckpointError, match=r"run.json is damaged"):
        RunRecord.load(tmp_path)
