"""What a run tells those who watch it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from masklet.modeling.video_network import VideoNetwork
from masklet.training.settings.recipe import Recipe
from masklet.training.supply.data_source import TrainingData


@dataclass(frozen=True)
class RunOutline:
    """A run that is about to take its first step, or to go on.

    `data`: what the recipe names, opened. `first_step`: how many steps were made before (0: none). `hardware`: devices,
    processes and precision, in words. `initial_weights`: the checkpoint that the run began with; None if there was none
    or it is not the same any more.
    """

    recipe: Recipe
    data: TrainingData
    folder: Path
    first_step: int
    hardware: str
    initial_weights: str | Path | None = None


class RunObserver(Protocol):
    """Watches a run: a progress bar, a log, curves, a report. Only the first process tells; an error ends the run."""

    def began(self, run: RunOutline) -> None:
        """Everything is loaded and the first step comes next."""

    def stepped(self, step: int, values: Mapping[str, float]) -> None:
        """`step` steps are done; `values` are the curves of the last one: losses, rates, the gradient's norm."""

    def saved(self, step: int, average: VideoNetwork) -> None:
        """The state after `step` steps and the averaged model are on disk; `average` is that model, in evaluation
        mode, to predict with and leave as it is."""

    def finished(self) -> None:
        """The last step of the recipe is done and saved. An interrupted run does not come here."""
