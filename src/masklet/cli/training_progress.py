"""A training run at the terminal: a progress bar, and a line whenever the state has been written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from masklet.cli.progress import PerSecond, progress_bar

if TYPE_CHECKING:
    from rich.progress import Progress

    from masklet.modeling.video_network import VideoNetwork
    from masklet.training.run.observer import RunOutline


class TrainingProgress:
    """Shows how far a run is. Use it as a context manager, so that the bar vanishes however the run ends.

    Of several processes only the first one shows anything.
    """

    def __enter__(self) -> TrainingProgress:
        self._progress: Progress = progress_bar("loss {task.fields[loss]}", PerSecond("steps"))
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def began(self, run: RunOutline) -> None:
        """Print where the run continues, and on what device."""
        self._progress.start()
        self._total, self._loss, self._printed = run.recipe.total_steps, "-", run.first_step
        if run.first_step:
            print(f"Continuing at step {run.first_step} of {self._total}.")
        if run.recipe.initial_weights and not run.initial_weights:
            print(
                f"{run.recipe.initial_weights} is not what this run began with any more; the run continues without it."
            )
        print(f"Training on {run.hardware}.", flush=True)
        self._task = self._progress.add_task("Training", total=self._total, completed=run.first_step, loss=self._loss)

    def stepped(self, step: int, values: Mapping[str, float]) -> None:
        """Move the bar."""
        self._loss = f"{values['total']:.4f}"
        self._progress.update(self._task, completed=step, loss=self._loss)

    def saved(self, step: int, ema_network: VideoNetwork) -> None:
        """Print that the state is written, once a step: an interrupt may write it again."""
        if step == self._printed:
            return
        self._printed = step
        print(f"step {step} of {self._total}: loss {self._loss}", flush=True)

    def finished(self) -> None:
        """Nothing: the command prints the result."""
