"""Observers of a training run: what they are called with, and when."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from masklet.modeling.video_network import VideoNetwork
from masklet.training.settings.recipe import Recipe
from masklet.training.supply.data_source import TrainingData


@dataclass(frozen=True)
class RunOutline:
    """A training run that is about to take its first step, or to be resumed.

    Attributes:
        recipe: what is run.
        data: what the recipe names, opened.
        folder: of the run.
        first_step: how many steps were made before (0: none).
        hardware: devices, processes and precision, in words.
        initial_weights: the checkpoint that the run began with; None if there was none or it has changed.
    """

    recipe: Recipe
    data: TrainingData
    folder: Path
    first_step: int
    hardware: str
    initial_weights: str | Path | None = None


class RunObserver(Protocol):
    """Watches a run: progress bar, log, curves, report. Only the first process calls it; an error ends the run."""

    def began(self, run: RunOutline) -> None:
        """Handle the begin of a run: everything is loaded and the first step comes next."""

    def stepped(self, step: int, values: Mapping[str, float]) -> None:
        """Handle step number `step` (from 1); `values` are its metrics: losses, rates, the gradient's norm."""

    def saved(self, step: int, ema_network: VideoNetwork) -> None:
        """Handle the state after `step` steps, which is on disk with the EMA weights.

        `ema_network` has these weights, in evaluation mode; predict with it and leave it as it is.
        """

    def finished(self) -> None:
        """Handle the end of the recipe, when all is saved; not called for an interrupted run."""
