"""Runs that are killed or cannot write."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.support.small_recipes import (
    Listener,
    assert_equal_states,
    saved_state,
    small_recipe,
    write_plain_images,
)

from masklet import Sam2VideoModel
from masklet.errors import CheckpointError
from masklet.training.run.trainer import Trainer
from masklet.training.settings.learning import Regularization
from masklet.training.settings.procedure import ClipTracking
from masklet.training.settings.recipe import Recipe
from masklet.training.settings.stages import ClipStage, Stage

ROOT = Path(__file__).parents[4]


def recipe_with_all_chance(images: Path) -> Recipe:
    """Images and clips, with stochastic depth, workers that load ahead, and a state every second step."""
    stages = (Stage(64, 3, 1, 2), ClipStage(64, 3, 1, 1, clip_length=2, clips_per_step=1, objects_per_clip=1))
    return small_recipe(
        images,
        stages=stages,
        loader_workers=1,
        regularization=Regularization(drop_path=0.3, memory_dropout=0.1),
        tracking=ClipTracking(corrections=1),
    )


KILLED_RUN = """
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, sys.argv[1])
from tests.support.small_recipes import Listener
from tests.unit.training.run.test_interruptions import recipe_with_all_chance
from masklet.training.run.trainer import Trainer

trainer = Trainer(recipe_with_all_chance(Path(sys.argv[2])), Path(sys.argv[3]))
last, place = int(sys.argv[4]), sys.argv[5]
update = trainer.devices.update


def killed(*arguments, **options):
    if trainer.step == last and place == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    update(*arguments, **options)
    if trainer.step == last:
        os.kill(os.getpid(), signal.SIGKILL)


trainer.devices.update = killed
trainer.run()
"""


def test_a_run_killed_at_any_step_ends_as_if_it_had_never_stopped(tmp_path: Path) -> None:
    """By kill -9 in a step drawn anew each time; weights, average and optimizer are the same bit by bit."""
    images = write_plain_images(tmp_path / "images")
    chance = np.random.default_rng()
    step, place = int(chance.integers(0, 6)), str(chance.choice(["before", "after"]))
    (tmp_path / "killed.py").write_text(KILLED_RUN)
    run = [sys.executable, str(tmp_path / "killed.py"), str(ROOT), str(images), str(tmp_path / "parts"), str(step)]
    # As many threads as here: the order in which threads add up decides the last bits.
    environment = {**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())}
    done = subprocess.run([*run, place], check=False, capture_output=True, text=True, timeout=600, env=environment)
    assert done.returncode == -signal.SIGKILL, done.stderr[-2000:]
    recipe = recipe_with_all_chance(images)
    resumed = Trainer(recipe, tmp_path / "parts")
    assert resumed.step == step // 2 * 2
    resumed.run()
    Trainer(recipe, tmp_path / "whole").run()
    assert_equal_states(saved_state(tmp_path / "parts"), saved_state(tmp_path / "whole"), f"killed {place} {step}")


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Writing beyond `size` bytes fails, as on a full disk."""
    limits, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)


class FillsTheDisk(Listener):
    """From step 3 on nothing large can be written any more."""

    def __init__(self, disk: Iterator[None]) -> None:
        super().__init__()
        self.disk = disk

    def stepped(self, step, values):  # type: ignore[no-untyped-def]
        super().stepped(step, values)
        if step == 3:
            self.disk.__enter__()  # type: ignore[attr-defined]


def test_a_full_disk_keeps_the_last_state_and_says_so(tmp_path: Path) -> None:
    recipe, disk = small_recipe(write_plain_images(tmp_path / "images")), files_of_at_most(50_000)
    try:
        with pytest.raises(
            CheckpointError, match="Training stops after step 4; what was saved before is untouched"
        ) as caught:
            Trainer(recipe, tmp_path / "run", observers=[FillsTheDisk(disk)]).run()  # type: ignore[arg-type]
    finally:
        disk.__exit__(None, None, None)
    assert "training_state.pt" in str(caught.value)
    assert "File too large" in str(caught.value)  # what the system says, not what torch makes of it
    assert saved_state(tmp_path / "run")["step"] == 2
    assert not list((tmp_path / "run").rglob(".unfinished*"))
    Trainer(recipe, tmp_path / "run").run()
    Trainer(recipe, tmp_path / "whole").run()
    assert_equal_states(saved_state(tmp_path / "run"), saved_state(tmp_path / "whole"))


def test_a_disk_that_is_full_after_the_state_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = small_recipe(write_plain_images(tmp_path / "images"))

    def full(*_: object, **__: object) -> None:
        raise CheckpointError("No space left.")

    with monkeypatch.context() as during:
        during.setattr(Sam2VideoModel, "save_pretrained", full)
        with pytest.raises(CheckpointError, match=r"No space left\. The state after step 2 is saved"):
            Trainer(recipe, tmp_path / "run").run()
    assert saved_state(tmp_path / "run")["step"] == 2
    Trainer(recipe, tmp_path / "run").run()
    assert (tmp_path / "run" / "average").is_dir()


def test_what_a_killed_writer_left_is_removed(tmp_path: Path) -> None:
    recipe = small_recipe(write_plain_images(tmp_path / "images"), stages=(Stage(64, 1, 1, 1),))
    (tmp_path / "run/average/.unfinished-a").mkdir(parents=True)
    (tmp_path / "run/.unfinished-training_state-x.pt").write_bytes(b"half")
    Trainer(recipe, tmp_path / "run").run()
    assert not list((tmp_path / "run").rglob(".unfinished*"))
