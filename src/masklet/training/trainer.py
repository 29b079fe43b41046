"""Runs a recipe: stages of growing image size, resumable, with curves."""

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

import torch

from masklet.configuration import Sam2Config
from masklet.datasets.scenes import ClipGenerator, PictureBank, SceneGenerator
from masklet.errors import InvalidInputError
from masklet.modeling.half_precision import is_bfloat16_faster
from masklet.modeling.video_network import VideoNetwork
from masklet.training.averaging import AveragedModel
from masklet.training.batches import SceneBatch, SceneBatches, loaded
from masklet.training.clip_batches import ClipBatch, ClipBatches
from masklet.training.clip_step import clip_step
from masklet.training.initial_checkpoint import load_initial_weights
from masklet.training.initial_memory import draw_memory_weights
from masklet.training.initial_weights import draw_initial_weights
from masklet.training.processes import Processes
from masklet.training.recipe import ClipStage, Recipe, Stage
from masklet.training.run_lock import alone_in
from masklet.training.run_state import AVERAGE_FOLDER, RunState
from masklet.training.shares import Share
from masklet.training.step import StepLoss, training_step

Report = Callable[[int, dict[str, float]], None]


class Trainer:
    """One run of a recipe in a folder.

    The folder holds `training_state.pt` (resume: make a Trainer of the same folder again), `average/` (the averaged
    model as `Sam2Model.from_pretrained` reads it) and TensorBoard curves.
    """

    def __init__(self, recipe: Recipe, folder: Path, device: str | torch.device = "cpu", report: Report | None = None):
        self.recipe, self.folder, self.device = recipe, folder, torch.device(device)
        self.report = report or (lambda step, curves: None)
        self._is_between_steps = True
        self.processes = Processes.join()
        fewest = min(stage.fewest_a_step for stage in recipe.stages)
        if fewest < self.processes.count:
            raise InvalidInputError(f"{self.processes.count} processes cannot share {fewest} scenes or clips a step.")
        torch.manual_seed(recipe.seed)
        folder.mkdir(parents=True, exist_ok=True)
        state = RunState.load(folder, recipe.name)
        self.step = state.step if state else 0
        self.model = self._model_of_size(recipe.stage_at(self.step).image_size)
        if state:
            self.model.load_state_dict(state.model)
        else:
            draw_initial_weights(self.model)
            if not recipe.initial_weights or not load_initial_weights(self.model, recipe.initial_weights):
                draw_memory_weights(self.model)
        self.average = AveragedModel(self.model, recipe.average_decay)
        self.optimizer = self._optimizer()
        if state:
            self.average.model.load_state_dict(state.average)
            self.optimizer.load_state_dict(state.optimizer)

    def run(self) -> VideoNetwork:
        """Train to the end of the recipe and return the averaged model; an interrupt saves first.

        Raises `InvalidInputError` if another training holds the folder.
        """
        with alone_in(self.folder) if self.processes.is_first else nullcontext():
            bank = PictureBank.load(self.recipe.picture_folders, self.recipe.panoptic_folder)
            try:
                while self.step < self.recipe.total_steps:
                    self._run_stage(bank)
            finally:
                if self._is_between_steps:
                    self.save()
        return self.average.model

    def _run_stage(self, bank: PictureBank) -> None:
        stage = self.recipe.stage_at(self.step)
        if self.step == self.recipe.first_clip_step and not self.recipe.initial_weights:
            self._draw_memory_anew()
        for model in (self.model, self.average.model):
            model.resize(stage.image_size)
        spares_encoder = isinstance(stage, ClipStage) and not stage.train_image_encoder
        for batch in loaded(self._batches(bank, stage), self.recipe.loader_workers):
            self.model.vision_encoder.requires_grad_(not (spares_encoder and isinstance(batch, ClipBatch)))
            loss = self._train_on(batch)
            if self.processes.is_first:
                self.report(self.step, loss.curves)
            if self.step % self.recipe.save_every == 0:
                self.save()

    def _draw_memory_anew(self) -> None:
        """Memory begins as mask prompts, whose meaning stills have taught meanwhile."""
        for model in (self.model, self.average.model):
            torch.manual_seed(self.recipe.seed)  # the same in all processes
            draw_memory_weights(model)

    def _batches(self, bank: PictureBank, stage: Stage) -> SceneBatches | ClipBatches:
        """What is left of a stage."""
        last = next(end for end in self._stage_ends() if end > self.step)
        scenes = SceneGenerator(bank, stage.image_size, self.recipe.mixture)
        share = Share(self.processes.rank, self.processes.count)
        stills = SceneBatches(scenes, self.recipe, stage, share, self.step, last - self.step)
        if not isinstance(stage, ClipStage):
            return stills
        clips = ClipGenerator(bank, stage.image_size, stage.clip_length, self.recipe.clip_mixture)
        return ClipBatches(clips, stills, stage)

    def _train_on(self, batch: SceneBatch | ClipBatch) -> StepLoss:
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate(self.step)
        self.model.train()
        with half_precision(self.device):
            loss = self._loss(batch)
        self.optimizer.zero_grad(set_to_none=True)
        loss.total.backward()
        self.processes.average_gradients([each for each in self.model.parameters() if each.requires_grad])
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.gradient_clip)
        # What an interrupt would leave from here to the end belongs to no one step, so it is not saved.
        self._is_between_steps = False
        if torch.isfinite(norm):  # a rare overflow must not poison the weights
            self.optimizer.step()
        self.average.follow(self.model, self.step)
        self.step += 1
        self._is_between_steps = True
        return replace(loss, curves={**loss.curves, "gradient_norm": float(norm)})

    def _loss(self, batch: SceneBatch | ClipBatch) -> StepLoss:
        step = self.step, self.processes.rank
        if isinstance(batch, ClipBatch):
            return clip_step(self.model, batch.to(self.device), self.recipe, step)
        return training_step(self.model, batch.to(self.device), self.recipe, step)

    def learning_rate(self, step: int) -> float:
        """Linear warm-up, then a cosine from the first to the final rate."""
        recipe = self.recipe
        if step < recipe.warmup_steps:
            return recipe.learning_rate * (step + 1) / recipe.warmup_steps
        share = (step - recipe.warmup_steps) / max(recipe.total_steps - recipe.warmup_steps, 1)
        span = recipe.learning_rate - recipe.final_learning_rate
        return recipe.final_learning_rate + span * (1 + math.cos(math.pi * min(share, 1))) / 2

    def save(self) -> None:
        """Write the state and the averaged model; either file is always complete."""
        if not self.processes.is_first:
            return
        average = self.average.model
        states = self.model.state_dict(), self.optimizer.state_dict(), average.state_dict()
        RunState(self.recipe.name, self.step, *states).save(self.folder)
        average.save_pretrained(self.folder / AVERAGE_FOLDER)

    def _stage_ends(self) -> Iterator[int]:
        end = 0
        for stage in self.recipe.stages:
            end += stage.steps
            yield end

    def _model_of_size(self, image_size: int) -> VideoNetwork:
        config = Sam2Config.from_dict({**self.recipe.model.to_dict(), "image_size": image_size})
        return VideoNetwork(config).to(self.device)

    def _optimizer(self) -> torch.optim.Optimizer:
        decayed = [p for p in self.model.parameters() if p.ndim > 1]
        free = [p for p in self.model.parameters() if p.ndim <= 1]
        groups = [{"params": decayed, "weight_decay": self.recipe.weight_decay}, {"params": free, "weight_decay": 0.0}]
        return torch.optim.AdamW(groups, lr=self.recipe.learning_rate, betas=(0.9, 0.98), fused=True)


def half_precision(device: torch.device) -> AbstractContextManager[object]:
    """bfloat16 autocast where the hardware multiplies it faster, otherwise nothing."""
    return torch.autocast(device.type, dtype=torch.bfloat16) if is_bfloat16_faster(device) else nullcontext()
