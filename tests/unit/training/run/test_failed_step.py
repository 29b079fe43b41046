"""Losses that are not finite end a run, and what made them can be had again."""

import math
from pathlib import Path

import pytest
from tests.support.small_recipes import Listener, Stopped, small_recipe, write_plain_images

from masklet.errors import CheckpointError, DivergedTrainingError
from masklet.training.procedure import training_step
from masklet.training.procedure.training_step import StepLoss
from masklet.training.run import trainer as trainer_module
from masklet.training.run.failed_step import replay
from masklet.training.run.trainer import MOST_STEPS_SKIPPED_IN_A_ROW, Trainer
from masklet.training.settings.procedure import ClipTracking
from masklet.training.settings.recipe import Hardware, Recipe
from masklet.training.settings.stages import ClipStage, Stage


def recipe_on(kind: str, images: Path) -> Recipe:
    stages = {
        "images": Stage(64, 3, 2, 1),
        "clips": ClipStage(64, 3, 2, 1, clip_length=2, clips_per_step=2, objects_per_clip=1),
    }
    tracking = ClipTracking(corrections=0)
    return small_recipe(images, stages=(stages[kind],), hardware=Hardware(micro_batches_per_step=2), tracking=tracking)


@pytest.mark.parametrize("kind", ["images", "clips"])
def test_a_loss_that_is_not_finite_stops_the_run_and_is_kept_for_replay(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, run = recipe_on(kind, write_plain_images(tmp_path / "images")), tmp_path / "run"
    name = {"images": "image_step", "clips": "clip_step"}[kind]
    take, losses = getattr(training_step, name), {}

    def failing(network, batch, recipe, step):  # type: ignore[no-untyped-def]
        loss = take(network, batch, recipe, step)
        losses[step] = loss.total.item()
        return StepLoss(loss.total * math.nan, {**loss.metrics, "total": math.nan}) if step == (1, 1) else loss

    with monkeypatch.context() as during:
        during.setattr(training_step, name, failing)
        with pytest.raises(
            DivergedTrainingError, match=r"is nan at step 1\..*micro_batch_0.pt.*micro_batch_1.pt.*replay"
        ):
            Trainer(recipe, run).run()
    assert not (run / "training_state.pt").exists()  # what the last regular save left is better than what there is now
    for number in (0, 1):
        again = replay(run / f"failed_step_1/micro_batch_{number}.pt", recipe)
        assert again.loss == pytest.approx(losses[1, number], rel=1e-5)
        assert again.metrics["total"] == pytest.approx(losses[1, number], rel=1e-5)
        assert all(each.grad.isfinite().all() for each in again.network.parameters() if each.grad is not None)
        assert again.network.mask_decoder.conv_s0.weight.grad is not None


def test_a_file_of_another_kind_is_no_failed_step(tmp_path: Path) -> None:
    (tmp_path / "micro_batch_0.pt").write_bytes(b"nonsense")
    with pytest.raises(CheckpointError, match=r"micro_batch_0.pt holds no failed step"):
        replay(tmp_path / "micro_batch_0.pt", small_recipe(tmp_path))


def test_gradients_that_never_become_finite_stop_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few are float16's search for a scale."""
    steps = MOST_STEPS_SKIPPED_IN_A_ROW + 1
    recipe = small_recipe(write_plain_images(tmp_path / "images"), stages=(Stage(64, steps, 1, 1),), save_every=100)
    trainer = Trainer(recipe, tmp_path / "run")
    monkeypatch.setattr(trainer, "_gradients_of", lambda micro_batches: [{"total": 1.0}])
    monkeypatch.setattr(trainer.devices, "clip_gradients", lambda *_: math.nan)
    with pytest.raises(
        DivergedTrainingError, match=f"{MOST_STEPS_SKIPPED_IN_A_ROW} gradients in a row were not finite"
    ):
        trainer.run()
    assert trainer.step == MOST_STEPS_SKIPPED_IN_A_ROW - 1


def skipping_steps(trainer: Trainer, monkeypatch: pytest.MonkeyPatch, skipped: set[int]) -> None:
    """Let the gradients of these steps overflow, and those of others be real."""
    clip = trainer.devices.clip_gradients
    monkeypatch.setattr(
        trainer.devices, "clip_gradients", lambda *given: math.inf if trainer.step in skipped else clip(*given)
    )


@pytest.mark.parametrize("stops", [False, True], ids=["at once", "in two sittings"])
def test_a_short_run_whose_every_step_was_skipped_is_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stops: bool
) -> None:
    recipe = small_recipe(write_plain_images(tmp_path / "images"), stages=(Stage(64, 3, 1, 1),), save_every=100)
    if stops:
        trainer = Trainer(recipe, tmp_path / "run", observers=[Listener(stop_after=1)])
        skipping_steps(trainer, monkeypatch, {0})
        with pytest.raises(Stopped):
            trainer.run()
    trainer = Trainer(recipe, tmp_path / "run")
    skipping_steps(trainer, monkeypatch, {0, 1, 2})
    with pytest.raises(DivergedTrainingError, match=r"Nothing was learnt.* at step 2\..*micro_batch_0.pt"):
        trainer.run()


def test_a_run_that_made_one_step_of_its_own_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = small_recipe(write_plain_images(tmp_path / "images"), stages=(Stage(64, 3, 1, 1),), save_every=100)
    trainer = Trainer(recipe, tmp_path / "run")
    skipping_steps(trainer, monkeypatch, {0, 2})
    trainer.run()
    assert trainer.step == 3


def test_the_mean_of_values_is_over_those_that_have_them() -> None:
    assert trainer_module.mean_values([{"a": 1.0, "b": 4.0}, {"a": 3.0}]) == {"a": 2.0, "b": 4.0}
