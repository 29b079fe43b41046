"""A run on disk."""

import errno
from pathlib import Path
from typing import Any, BinaryIO

import pytest
import torch

from masklet.errors import CheckpointError
from masklet.training.run.run_state import STATE_FILE, RunState


@pytest.fixture
def state() -> RunState:
    weight = {"weight": torch.arange(3.0)}
    optimizer = {"state": {0: {"step": torch.tensor(7.0)}}, "param_groups": []}
    return RunState("small", 7, weight, optimizer, weight, {}, [["root", "1.jpg", "bad"]])


def test_round_trip(state: RunState, tmp_path: Path) -> None:
    state.save(tmp_path)
    loaded = RunState.load(tmp_path, "small")
    assert loaded is not None
    assert (loaded.recipe, loaded.step) == ("small", 7)
    assert torch.equal(loaded.model["weight"], state.model["weight"])
    assert loaded.optimizer["state"][0]["step"] == 7
    assert loaded.skipped == [["root", "1.jpg", "bad"]]
    assert [path.name for path in tmp_path.iterdir()] == [STATE_FILE]


def test_a_state_of_an_earlier_version_is_read(state: RunState, tmp_path: Path) -> None:
    """It calls the EMA weights the average, and knows neither loss scales nor damaged samples."""
    content = {"average" if name == "ema_weights" else name: value for name, value in vars(state).items()}
    del content["scaling"], content["skipped"]
    torch.save(content, tmp_path / STATE_FILE)
    loaded = RunState.load(tmp_path, "small")
    assert loaded is not None
    assert torch.equal(loaded.ema_weights["weight"], state.ema_weights["weight"])
    assert (loaded.scaling, loaded.skipped) == ({}, [])


def test_no_state_yet(tmp_path: Path) -> None:
    assert RunState.load(tmp_path, "small") is None


def test_the_state_of_another_recipe_is_refused(state: RunState, tmp_path: Path) -> None:
    state.save(tmp_path)
    with pytest.raises(CheckpointError, match="belongs to recipe 'small', not 'compact'"):
        RunState.load(tmp_path, "compact")


@pytest.mark.parametrize("damage", [lambda content: content[: len(content) // 2], lambda content: b"nonsense"])
def test_a_damaged_state_is_named(state: RunState, tmp_path: Path, damage: Any) -> None:
    state.save(tmp_path)
    path = tmp_path / STATE_FILE
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(CheckpointError, match=r"training_state.pt is damaged or .*remove it to start afresh\.$"):
        RunState.load(tmp_path, "small")


def test_a_state_that_lacks_a_part_is_named(tmp_path: Path) -> None:
    torch.save({"recipe": "small", "step": 3}, tmp_path / STATE_FILE)
    with pytest.raises(CheckpointError, match="is damaged or no training state"):
        RunState.load(tmp_path, "small")


def test_a_full_disk_keeps_the_last_state(state: RunState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state.save(tmp_path)

    def full(content: object, file: BinaryIO) -> None:
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    state.step = 8
    with pytest.raises(CheckpointError, match=r"No space left.* after step 8; what was saved before is untouched"):
        state.save(tmp_path)
    loaded = RunState.load(tmp_path, "small")
    assert loaded is not None
    assert loaded.step == 7
    assert [path.name for path in tmp_path.iterdir()] == [STATE_FILE]


@pytest.mark.parametrize("change", [{"step": "7"}, {"step": -1}, {"more": 1}])
def test_values_of_other_kinds_are_refused(state: RunState, tmp_path: Path, change: dict[str, Any]) -> None:
    torch.save({**vars(state), **change}, tmp_path / STATE_FILE)
    with pytest.raises(CheckpointError, match=r"training_state.pt is damaged or .*remove it to start afresh\.$"):
        RunState.load(tmp_path, "small")


def test_what_wrong_tensors_end_by_names_the_file_but_not_the_lack_of_memory(tmp_path: Path) -> None:
    for error in (KeyError("weight"), RuntimeError("shapes differ")):
        with pytest.raises(CheckpointError, match=r"training_state.pt is damaged"), RunState.damage_named(tmp_path):
            raise error
    with pytest.raises(RuntimeError, match="out of memory"), RunState.damage_named(tmp_path):
        raise RuntimeError("CUDA out of memory")
