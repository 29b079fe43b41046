"""Training runs: stages of a recipe, gradient accumulation, EMA weights, saved states, observers."""

import math
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, nullcontext
from pathlib import Path

import torch

from masklet.atomic_files import made_folder, remove_unfinished
from masklet.errors import CheckpointError, DivergedTrainingError, OtherProgramWarning
from masklet.file_locks import alone_in
from masklet.tracking.video_model import Sam2VideoModel
from masklet.training.network.building import initial_network, network_with
from masklet.training.network.initial_weights import draw_memory_weights
from masklet.training.network.low_rank import ADAPTER_FOLDER, merged, save_adapters
from masklet.training.network.trained_parameters import TrainedParameters
from masklet.training.procedure.training_step import Batch, MicroBatch, TrainingStep
from masklet.training.run.devices import Devices, fill, load_optimizer, whole
from masklet.training.run.failed_step import save_failed_step
from masklet.training.run.observer import RunObserver, RunOutline
from masklet.training.run.optimizer import EmaWeights, learning_rate, make_optimizer, set_learning_rate
from masklet.training.run.run_record import RunRecord
from masklet.training.run.run_state import AVERAGE_FOLDER, RunState
from masklet.training.settings.recipe import Recipe
from masklet.training.settings.stages import Stage
from masklet.training.supply.clip_batches import ClipBatch
from masklet.training.supply.data_source import open_training_data
from masklet.training.supply.image_batches import loaded
from masklet.training.supply.micro_batches import MicroBatchesInTurn

# Float16's loss scale begins high and is halved until nothing overflows; this many steps in vain are no search.
MOST_STEPS_SKIPPED_IN_A_ROW = 20


class Trainer:
    """A training run of a recipe in a folder.

    The folder holds `training_state.pt` (resume: make a Trainer of the same folder again), `average/` (the network with
    EMA weights, as `Sam2Model.from_pretrained` and `Sam2VideoModel.from_pretrained` read it) and `run.json` (what was
    run). A resumed run does not need the checkpoint that it began with: its state holds everything.

    Args:
        recipe: what to run.
        folder: of the run.
        device: this process's.
        observers: called by the first process, in this order.

    Raises:
        InvalidInputError: for what the machine cannot do, data that the recipe cannot use and a network that cannot be
            made.
        CheckpointError: for the folder of another run.

    Example:
        >>> from dataclasses import replace
        >>> from pathlib import Path
        >>> from masklet import Stage, Trainer, recipe_named
        >>> recipe = replace(recipe_named("smoke", Path("assets")), stages=(Stage(64, steps=1),), loader_workers=0)
        >>> Trainer(recipe, Path("run")).run().config.image_size
        64
    """

    def __init__(
        self,
        recipe: Recipe,
        folder: Path,
        device: str | torch.device = "cpu",
        observers: Sequence[RunObserver] = (),
    ):
        self.recipe, self.folder = recipe, folder
        self.devices = Devices(device, recipe.hardware)
        self.slices = self.devices.slices_of(recipe)
        self.observers = tuple(observers) if self.devices.is_first else ()
        self.data = open_training_data(recipe)
        state, now = RunState.load(folder, recipe.name), RunRecord.of(recipe)
        now.check_goes_on(folder)
        self.record = now.going_on(folder) if state else now
        is_still_there = now.initial_checksum is not None and self.record.initial_checksum in (
            None,
            now.initial_checksum,
        )
        self.initial_weights = recipe.initial_weights if is_still_there else None
        with RunState.damage_named(folder) if state else nullcontext():
            self._begin(state)
        self._is_between_steps, self._skipped_in_a_row = True, 0

    def _begin(self, state: RunState | None) -> None:
        """Make network, optimizer and EMA weights: anew, or as they were saved."""
        recipe = self.recipe
        self.step = state.step if state else 0
        size = recipe.stage_at(self.step).image_size
        torch.manual_seed(recipe.seed)  # the same in all processes
        self.network = network_with(state.model, recipe, size) if state else initial_network(recipe, size)
        self.learning = self.devices.spread(TrainingStep(self.network, recipe))
        self.trained = TrainedParameters(self.network)
        self.optimizer = make_optimizer(self.network, recipe, is_fused=self.devices.precision != "float16")
        self.ema = EmaWeights(self.network.state_dict(), recipe.ema_decay)
        if state:
            load_optimizer(self.optimizer, state.optimizer)
            fill(self.ema.tensors, state.ema_weights)
            self.devices.set_scaling(state.scaling)
            self.data.skipped.restore(state.skipped)

    def run(self) -> Sam2VideoModel:
        """Train to the end of the recipe and return the network with EMA weights.

        An interrupt saves the state first, but not under FSDP.

        Raises:
            InvalidInputError: if another training holds the folder or too much of the data is damaged.
            DivergedTrainingError: if the loss is not finite.
            CheckpointError: if the state cannot be written.
        """
        made_folder(self.folder)
        with alone_in(self.folder, "training") if self.devices.is_first else nullcontext():
            self.data.read_images()
            if self.devices.is_first:
                remove_unfinished(self.folder)
                self.record.save(self.folder)  # from here on the folder is this run's
            for observer in self.observers:
                observer.began(self._outline())
            try:
                if 0 < self.step < self.recipe.total_steps:
                    self._publish_again()
                while self.step < self.recipe.total_steps:
                    self._run_stage()
            except (CheckpointError, DivergedTrainingError):
                raise  # the state saved before is better than what there is now
            except BaseException:
                # Parts of a network can only be brought together by all processes, and others may not come.
                if self._is_between_steps and not self.devices.is_sharded:
                    self.save()
                raise
            self.save()
            self._finish_reports()
        return self.ema_network()

    def _finish_reports(self) -> None:
        """Call all observers, even if one of them fails: after days of training the other reports must be written."""
        with ExitStack() as reports:
            for observer in reversed(self.observers):
                reports.callback(observer.finished)

    def _outline(self) -> RunOutline:
        return RunOutline(self.recipe, self.data, self.folder, self.step, str(self.devices), self.initial_weights)

    def _run_stage(self) -> None:
        stage = self.recipe.stage_at(self.step)
        if self.step == self.recipe.first_clip_step and not self.recipe.initial_weights:
            self._draw_memory_anew()
        self.network.resize(stage.image_size)
        for batches in self._batches(stage):
            self.trained.freeze(stage.frozen_parts(isinstance(batches[0], ClipBatch)))
            values = self._train_on(batches)
            for observer in self.observers:
                observer.stepped(self.step, {**values, "damaged_samples": len(self.data.skipped)})
            if self.step % self.recipe.save_every == 0 and self.step < self.recipe.total_steps:
                self.save()

    def _batches(self, stage: Stage) -> Iterator[tuple[Batch, ...]]:
        """Yield, for every step that is left of a stage, this process's micro-batches."""
        steps = self.recipe.end_of_stage(self.step) - self.step
        of_slices = [self.data.batches_for(stage, part, self.step, steps) for part in self.slices]
        stream = loaded(MicroBatchesInTurn(of_slices, steps), self.recipe.loader_workers)
        for batches in zip(*[stream] * len(self.slices), strict=True):
            # All processes count the damage of all, so that they stop together.
            self.data.skipped.note(self.devices.from_all([each for batch in batches for each in batch.skipped]))
            yield batches

    def _train_on(self, batches: Sequence[Batch]) -> dict[str, float]:
        """Take one step; returns its metrics."""
        begin, rate = time.perf_counter(), learning_rate(self.recipe, self.step)
        set_learning_rate(self.optimizer, rate)
        micro_batches = [
            MicroBatch(batch.to(self.devices.device), (self.step, part.number))
            for batch, part in zip(batches, self.slices, strict=True)
        ]
        values = mean_values(self.devices.from_all(self._gradients_of(micro_batches)))
        norm = self.devices.clip_gradients(self.learning, self.optimizer, self.recipe.gradient_clip)
        self._stop_if_diverged(micro_batches, values["total"], norm)
        # What an interrupt would leave from here to the end belongs to no one step, so it is not saved.
        self._is_between_steps = False
        self.devices.update(self.optimizer, is_finite=math.isfinite(norm))
        self.ema.update(self.network.state_dict(), self.step)
        self.step += 1
        self._is_between_steps = True
        return {**values, "gradient_norm": norm, "learning_rate": rate, "seconds": time.perf_counter() - begin}

    def _gradients_of(self, micro_batches: Sequence[MicroBatch]) -> list[dict[str, float]]:
        """Accumulate the gradients of this process's micro-batches; returns the metrics of each.

        The weights are left with the mean gradient over all micro-batches of all processes.
        """
        self.learning.train()
        self.optimizer.zero_grad(set_to_none=True)
        metrics = []
        for number, micro_batch in enumerate(micro_batches, 1):
            with self.devices.gradient_accumulation(self.learning, is_last=number == len(micro_batches)):
                loss, metrics_of_one = self.learning(micro_batch)
                self.devices.backward(loss / len(micro_batches))
            metrics.append(metrics_of_one)
        return metrics

    def _stop_if_diverged(self, micro_batches: Sequence[MicroBatch], loss: float, norm: float) -> None:
        """Count steps whose gradients overflow, which leave the weights as they are; end a diverged run.

        That is one whose loss overflows, or no step of which could be made.
        """
        self._skipped_in_a_row = 0 if math.isfinite(norm) else self._skipped_in_a_row + 1
        is_last = self.step + 1 == self.recipe.total_steps
        if not math.isfinite(loss):
            what = f"The loss is {loss}"
        elif self._skipped_in_a_row >= MOST_STEPS_SKIPPED_IN_A_ROW:
            what = f"{self._skipped_in_a_row} gradients in a row were not finite"
        elif self._skipped_in_a_row and is_last and not self.optimizer.state:
            what = "Nothing was learnt, since the gradients of no step were finite,"
        else:
            return
        network = self._network_with(self.network.state_dict())
        paths = [save_failed_step(self.folder, micro_batch, network, self.recipe) for micro_batch in micro_batches]
        raise DivergedTrainingError(
            f"{what} at step {self.step}. Its batch and weights are in {', '.join(map(str, paths))}; "
            "masklet.training.run.failed_step describes how to replay it. What was saved before is untouched. A lower "
            "learning_rate, in another folder, is the first thing to try."
        )

    def _draw_memory_anew(self) -> None:
        """Draw memory weights to go with the mask prompts that images have taught meanwhile."""
        for tensors in (self.network.state_dict(), self.ema.tensors):
            network = self._network_with(tensors)
            torch.manual_seed(self.recipe.seed)  # the same in all processes
            draw_memory_weights(network)
            fill(tensors, network.state_dict())

    def save(self) -> None:
        """Write the state and the EMA weights; either file is always complete. All processes must call it."""
        states = (self.network.state_dict(), self.optimizer.state_dict(), self.ema.tensors)
        model, optimizer, ema_weights = (whole(dict(state)) for state in states)
        if not self.devices.is_first:
            return
        scaling, skipped = self.devices.scaling(), self.data.skipped.state()
        RunState(self.recipe.name, self.step, model, optimizer, ema_weights, scaling, skipped).save(self.folder)
        self._publish(ema_weights)

    def _publish(self, ema_weights: dict[str, torch.Tensor]) -> None:
        """Write the EMA weights of the state that is saved, as they were trained last, and call the observers."""
        trained_last = self.recipe.stage_at(max(self.step - 1, 0))
        adapted = network_with(ema_weights, self.recipe, trained_last.image_size).eval()
        plain = merged(adapted)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", OtherProgramWarning)  # `masklet train` reports it once
                plain.save_pretrained(self.folder / AVERAGE_FOLDER)
            self.record.save(self.folder / AVERAGE_FOLDER)
            save_adapters(adapted, self.folder / ADAPTER_FOLDER)
        except CheckpointError as error:
            raise CheckpointError(
                f"{error} The state after step {self.step} is saved: once the folder can be written again, the same "
                "command resumes from there."
            ) from error
        for observer in self.observers:
            observer.saved(self.step, plain)

    def _publish_again(self) -> None:
        """Write what a killed run may not have written after its state was saved."""
        ema_weights = whole(dict(self.ema.tensors))  # all processes take part
        if self.devices.is_first:
            self._publish(ema_weights)

    def ema_network(self) -> Sam2VideoModel:
        """Make the network with EMA weights, whole and on the processor, adapters merged. All processes call it."""
        network = merged(self._network_with(self.ema.tensors).eval())
        assert isinstance(network, Sam2VideoModel)
        return network

    averaged_network = ema_network  # the earlier spelling

    @property
    def average(self) -> EmaWeights:
        """`ema` in its earlier spelling."""
        return self.ema

    def _network_with(self, tensors: dict[str, torch.Tensor]) -> Sam2VideoModel:
        return network_with(whole(dict(tensors)), self.recipe, self.network.config.image_size)


def mean_values(values: Sequence[dict[str, float]]) -> dict[str, float]:
    """Average each metric over the micro-batches that have it."""
    names = dict.fromkeys(name for each in values for name in each)
    known = {name: [each[name] for each in values if name in each] for name in names}
    return {name: sum(each) / len(each) for name, each in known.items()}
