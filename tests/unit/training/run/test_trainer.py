"""Whole runs: they end, they resume bit by bit, they learn."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.support.annotated_data import write_images
from tests.support.small_models import small_backbone
from tests.support.small_recipes import (
    Listener,
    Stopped,
    assert_equal_states,
    saved_state,
    small_recipe,
    write_plain_images,
)

from masklet import Sam2Model, Sam2VideoModel
from masklet.checkpoints.pretrained import PretrainedModel
from masklet.datasets.sampling.mixture import DataMixture
from masklet.datasets.scenes import ImageBank, SceneGenerator
from masklet.errors import CheckpointError, DivergedTrainingError, InvalidInputError
from masklet.file_locks import alone_in
from masklet.training.network.initial_weights import draw_initial_weights, draw_memory_weights
from masklet.training.network.trained_parameters import part_of
from masklet.training.procedure.training_step import image_step
from masklet.training.recipes import recipe_named
from masklet.training.reports.predictions import Predictions
from masklet.training.run import trainer as trainer_module
from masklet.training.run.run_state import AVERAGE_FOLDER
from masklet.training.run.trainer import Trainer
from masklet.training.settings.procedure import ClipTracking, PromptShares
from masklet.training.settings.recipe import Hardware, Recipe
from masklet.training.settings.stages import ClipStage, Stage
from masklet.training.supply.data_source import open_training_data
from masklet.training.supply.image_batches import SceneBatches
from masklet.training.supply.micro_batches import StepSlice


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_plain_images(tmp_path_factory.mktemp("images"))


@pytest.fixture(scope="module")
def recipe(images: Path) -> Recipe:
    """With stochastic depth, and mask prompts now and then: every source of chance takes part."""
    recipe = small_recipe(images, prompts=PromptShares(click=0.4, box=0.3, mask=0.3))
    recipe.model.vision_config.backbone_config = small_backbone([8, 4, 8, 4], drop_path_rate=0.3)
    return recipe


@pytest.fixture(scope="module")
def uninterrupted(recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("uninterrupted")
    Trainer(recipe, folder).run()
    return folder


@pytest.mark.parametrize("steps", [3, 4])  # between two stages (killed: within the first), within the second
@pytest.mark.parametrize("saves", [True, False], ids=["interrupted", "killed"])
def test_a_resumed_run_ends_as_if_it_had_never_stopped(
    recipe: Recipe, uninterrupted: Path, tmp_path: Path, steps: int, saves: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = Trainer(recipe, tmp_path, observers=[Listener(stop_after=steps)])
    if not saves:  # nothing is left but the last regular save, if there was one
        save = trainer.save
        monkeypatch.setattr(trainer, "save", lambda: save() if trainer.step % 2 == 0 and trainer.step < steps else None)
    with pytest.raises(Stopped):
        trainer.run()
    resumed = Trainer(recipe, tmp_path)
    assert resumed.step == (steps if saves else (steps - 1) // 2 * 2)
    resumed.run()
    assert_equal_states(saved_state(tmp_path), saved_state(uninterrupted))


def test_a_half_made_step_is_not_saved(recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = Trainer(replace(recipe, save_every=1), tmp_path)
    step = trainer.optimizer.step

    def interrupted() -> None:
        step()
        if trainer.step == 1:
            raise Stopped

    monkeypatch.setattr(trainer.optimizer, "step", interrupted)
    with pytest.raises(Stopped):
        trainer.run()
    state = saved_state(tmp_path)
    assert state["step"] == 1
    assert all(each["step"] == 1 for each in state["optimizer"]["state"].values())


def test_the_ema_weights_are_saved_as_a_checkpoint(recipe: Recipe, uninterrupted: Path) -> None:
    loaded = Sam2VideoModel.from_pretrained(uninterrupted / AVERAGE_FOLDER)
    assert_equal_states(dict(loaded.state_dict()), saved_state(uninterrupted)["ema_weights"])
    assert loaded.config.image_size == recipe.stages[-1].image_size


def test_a_finished_run_stays_as_it_is(recipe: Recipe, uninterrupted: Path) -> None:
    before = saved_state(uninterrupted)
    Trainer(recipe, uninterrupted, observers=[Listener(stop_after=1)]).run()
    assert_equal_states(saved_state(uninterrupted), before)


def test_the_ema_weights_have_their_earlier_names(recipe: Recipe, uninterrupted: Path) -> None:
    trainer = Trainer(recipe, uninterrupted)
    assert trainer.average is trainer.ema
    averaged = trainer.averaged_network().state_dict()
    assert_equal_states(dict(averaged), saved_state(uninterrupted)["ema_weights"])


def test_a_folder_of_another_recipe_is_refused(recipe: Recipe, uninterrupted: Path) -> None:
    with pytest.raises(CheckpointError, match="belongs to recipe 'small'"):
        Trainer(replace(recipe, name="other"), uninterrupted)


def test_damaged_samples_are_counted_over_interruptions(tmp_path: Path) -> None:
    root = write_images(tmp_path / "images", 101)
    (root / "images" / "70.png").write_bytes(b"no image")
    stage = Stage(64, 51, scenes_per_step=2, objects_per_scene=1)  # an epoch
    recipe = small_recipe(tmp_path, stages=(stage,), prompt_rounds=1, data=DataMixture(roots=(root,)))
    data = open_training_data(recipe)
    found = next(step for step in range(51) if data.batches_for(stage, StepSlice(), step, 1)[0].skipped) + 1
    with pytest.raises(Stopped):
        Trainer(recipe, tmp_path / "run", observers=[Listener(stop_after=found)]).run()
    after = Listener(stop_after=found + 1)
    with pytest.raises(Stopped):
        Trainer(recipe, tmp_path / "run", observers=[after]).run()
    assert after.curves[found + 1]["damaged_samples"] == 1


def test_a_run_that_found_no_data_does_not_occupy_its_folder(recipe: Recipe, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidInputError, match="no images"):
        Trainer(replace(recipe, image_folders=(tmp_path / "empty",)), tmp_path / "run").run()
    assert Trainer(recipe, tmp_path / "run").step == 0


def test_initial_weights_come_from_a_checkpoint(recipe: Recipe, uninterrupted: Path, tmp_path: Path) -> None:
    trainer = Trainer(replace(recipe, initial_weights=uninterrupted / AVERAGE_FOLDER), tmp_path)
    expected = saved_state(uninterrupted)["ema_weights"]
    assert_equal_states(dict(trainer.network.state_dict()), expected)
    assert_equal_states(trainer.ema.tensors, expected)


def test_images_are_read_once_for_training_and_for_what_it_shows(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, load = [], ImageBank.load
    monkeypatch.setattr(ImageBank, "load", lambda *given: read.append(given) or load(*given))
    with pytest.raises(Stopped):
        Trainer(recipe, tmp_path, observers=[Predictions(), Listener(stop_after=1)]).run()
    assert len(read) == 1


def test_observers_hear_of_every_step_and_state(recipe: Recipe, tmp_path: Path) -> None:
    listener = Listener()
    Trainer(recipe, tmp_path, observers=[listener]).run()
    steps = ["stepped 1", "stepped 2", "saved 2", "stepped 3", "stepped 4", "saved 4", "stepped 5", "saved 5"]
    assert listener.told == ["began at 0", *steps, "finished"]
    for curves in listener.curves.values():
        assert {"total", "gradient_norm", "learning_rate", "round_0/measured_iou", "round_1/dice"} <= set(curves)
        assert all(torch.tensor(list(curves.values())).isfinite())


def test_a_kill_after_the_state_costs_neither_model_nor_images_of_its_step(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that is written after the state, beginning with the EMA weights, is written by the run that goes on."""

    def killed(_: object) -> None:
        raise Stopped

    def images_in(folder: Path) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (folder / "predictions").glob("*.jpg")}

    Trainer(recipe, tmp_path / "whole", observers=[Predictions()]).run()
    trainer = Trainer(recipe, tmp_path / "killed", observers=[Predictions()])
    monkeypatch.setattr(trainer, "_publish", killed)
    with pytest.raises(Stopped):
        trainer.run()
    assert saved_state(tmp_path / "killed")["step"] == 2
    assert not (tmp_path / "killed" / AVERAGE_FOLDER).exists()
    listener = Listener()
    Trainer(recipe, tmp_path / "killed", observers=[Predictions(), listener]).run()
    assert listener.told[:3] == ["began at 2", "saved 2", "stepped 3"]
    assert images_in(tmp_path / "killed") == images_in(tmp_path / "whole")
    assert len(images_in(tmp_path / "whole")) == 3


def test_a_report_that_fails_leaves_the_others_theirs(recipe: Recipe, tmp_path: Path) -> None:
    class Failing(Listener):
        def finished(self) -> None:
            raise InvalidInputError("no space for me")

    listeners = [Listener(), Failing(), Listener()]
    with pytest.raises(InvalidInputError, match="no space for me"):
        Trainer(recipe, tmp_path, observers=listeners).run()
    assert [listener.told[-1] for listener in listeners] == ["finished", "saved 5", "finished"]


def overflowing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", lambda *_, **__: torch.tensor(torch.inf))


def test_an_overflow_does_not_poison_the_weights(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = Trainer(recipe, tmp_path)
    before = {name: tensor.clone() for name, tensor in trainer.network.state_dict().items()}
    overflowing(monkeypatch)
    with pytest.raises(DivergedTrainingError):  # nothing would have come of it
        trainer.run()
    assert_equal_states(dict(trainer.network.state_dict()), before)


def test_the_smoke_recipe_runs_on_a_folder_of_images(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = recipe_named("smoke", images)
    stages = tuple(replace(stage, steps=1) for stage in recipe.stages)  # each size once: the rest is repetition
    trained = Trainer(replace(recipe, stages=stages), tmp_path).run()
    assert isinstance(trained, PretrainedModel)
    assert trained.config.image_size == recipe.stages[-1].image_size
    assert (tmp_path / AVERAGE_FOLDER / "model.safetensors").is_file()


def test_training_learns_a_scene_by_heart(images: Path) -> None:
    recipe = small_recipe(images, prompt_rounds=2, prompts=PromptShares(click=1, box=0, mask=0), first_scene=3)
    stage = Stage(image_size=64, steps=1, scenes_per_step=1, objects_per_scene=2)
    generator = SceneGenerator(ImageBank.load((images,)), 64, recipe.mixture)
    batch = SceneBatches(generator, recipe, stage, StepSlice(), 0, 1)[0]
    torch.manual_seed(0)
    model = Sam2Model(recipe.model)
    model.resize(64)
    draw_initial_weights(model)
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    losses = []
    for step in range(40):
        loss = image_step(model, batch, recipe, (step % 2, 0))
        optimizer.zero_grad()
        loss.total.backward()
        optimizer.step()
        losses.append(loss.metrics)
    assert losses[-1]["total"] < 0.5 * losses[0]["total"]
    assert losses[-1]["round_1/measured_iou"] > losses[0]["round_1/measured_iou"] + 0.1


def clip_recipe(images: Path, **changes: Any) -> Recipe:
    """Two steps on clips, one on images, twice."""
    stage = ClipStage(64, 6, 1, 2, clip_length=2, clips_per_step=1, objects_per_clip=2, images_every=3, **changes)
    return small_recipe(images, stages=(stage,), save_every=3, tracking=ClipTracking(corrections=1))


def test_a_resumed_run_on_clips_ends_as_if_it_had_never_stopped(images: Path, tmp_path: Path) -> None:
    recipe = clip_recipe(images)
    listener = Listener()
    Trainer(recipe, tmp_path / "whole", observers=[listener]).run()
    curves = listener.curves
    with pytest.raises(Stopped):
        Trainer(recipe, tmp_path / "parts", observers=[Listener(stop_after=4)]).run()
    Trainer(recipe, tmp_path / "parts").run()
    assert_equal_states(saved_state(tmp_path / "parts"), saved_state(tmp_path / "whole"))
    assert [("clip/measured_iou" in curves[step], "round_0/dice" in curves[step]) for step in range(1, 7)] == [
        (True, False),
        (True, False),
        (False, True),
    ] * 2


def test_clips_spare_the_image_encoder_if_asked_to(images: Path, tmp_path: Path) -> None:
    recipe = clip_recipe(images, train_image_encoder=False)
    trainer = Trainer(recipe, tmp_path, observers=[Listener(stop_after=2)])
    before = {name: tensor.clone() for name, tensor in trainer.network.state_dict().items()}
    with pytest.raises(Stopped):
        trainer.run()
    for name, tensor in trainer.network.state_dict().items():
        if name.startswith("vision_encoder."):
            assert torch.equal(tensor, before[name]), name
    trained = trainer.network.memory_encoder.projection.weight
    assert not torch.equal(trained, before["memory_encoder.projection.weight"])


def test_a_folder_in_use_is_refused(recipe: Recipe, tmp_path: Path) -> None:
    with alone_in(tmp_path, "training"), pytest.raises(InvalidInputError, match="Another training runs in"):
        Trainer(recipe, tmp_path).run()


def test_memory_begins_with_the_clips(images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is drawn to go with what the images before have taught, the same for the network and its EMA weights."""
    drawn: list[Sam2VideoModel] = []

    def draw(model: Sam2VideoModel) -> None:
        drawn.append(model)
        draw_memory_weights(model)
        torch.nn.init.constant_(model.no_object_pointer, len(drawn))

    monkeypatch.setattr(trainer_module, "draw_memory_weights", draw)
    stages = (Stage(64, 1, 1, 2), ClipStage(64, 1, 1, 2, clip_length=2, clips_per_step=1, objects_per_clip=2))
    recipe = small_recipe(images, stages=stages, frozen=("memory",), tracking=ClipTracking(corrections=0))
    trainer = Trainer(recipe, tmp_path)
    trainer.run()
    assert len(drawn) == 2
    assert trainer.network.no_object_pointer.unique().tolist() == [1]
    assert trainer.ema.tensors["no_object_pointer"].unique().item() == pytest.approx(1 + 2 / 11)  # a step later


def test_frozen_parts_stay_and_the_others_learn(images: Path, tmp_path: Path) -> None:
    trainer = Trainer(replace(clip_recipe(images), frozen=("image_encoder", "mask_decoder")), tmp_path)
    before = {name: tensor.clone() for name, tensor in trainer.network.state_dict().items()}
    trainer.run()
    changed = {
        part_of(name) for name, each in trainer.network.state_dict().items() if not torch.equal(each, before[name])
    }
    assert changed == {"prompt_encoder", "memory"}


def test_gradient_checkpointing_changes_nothing_but_memory(recipe: Recipe, uninterrupted: Path, tmp_path: Path) -> None:
    trainer = Trainer(replace(recipe, hardware=Hardware(gradient_checkpointing=True)), tmp_path)
    assert trainer.network.vision_encoder.backbone.gradient_checkpointing
    trainer.run()
    expected = saved_state(uninterrupted)["model"]
    for name, tensor in saved_state(tmp_path)["model"].items():
        torch.testing.assert_close(tensor, expected[name], msg=name)


def test_bfloat16_trains_in_float32_weights(recipe: Recipe, tmp_path: Path) -> None:
    listener = Listener(stop_after=2)
    with pytest.raises(Stopped):
        Trainer(replace(recipe, hardware=Hardware(precision="bfloat16")), tmp_path, observers=[listener]).run()
    assert all(torch.tensor(list(curves.values())).isfinite().all() for curves in listener.curves.values())
    assert {tensor.dtype for tensor in saved_state(tmp_path)["model"].values()} == {torch.float32}
