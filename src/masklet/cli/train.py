"""`masklet train`: runs a recipe."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from masklet.cli.exit_codes import ExitCode
from masklet.cli.model_options import DeviceOption, usable_device
from masklet.errors import InvalidInputError

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

    from masklet.training.trainer import Trainer

CURVES_FOLDER = "curves"


def train(
    recipe: Annotated[str, typer.Argument(help="The name of a recipe, say compact; a wrong one lists all.")],
    data: Annotated[Path, typer.Option("--data", help="The folder of pictures to train on.")],
    run: Annotated[Path, typer.Option("-o", "--output", metavar="RUN", help="The folder of this run.")],
    initial_weights: Annotated[
        str | None,
        typer.Option("--from", metavar="PATH_OR_ID", help="Begin with this checkpoint's weights, not random ones."),
    ] = None,
    device: DeviceOption = None,
) -> None:
    """Train a model; an interrupted run goes on where it stopped when the same command is given again.

    RUN gets the state of the run, the model (RUN/average, for --model) and its curves (tensorboard --logdir RUN).
    """
    from masklet.training.recipes import recipe_named
    from masklet.training.run_state import AVERAGE_FOLDER
    from masklet.training.trainer import Trainer

    chosen_device = usable_device(device)
    writer_class = _writer_class()
    chosen_recipe = replace(recipe_named(recipe, data), initial_weights=initial_weights)
    trainer = Trainer(chosen_recipe, run, chosen_device)
    if trainer.step:
        print(f"Going on at step {trainer.step} of {trainer.recipe.total_steps}.")
    try:
        with writer_class(str(run / CURVES_FOLDER), purge_step=trainer.step + 1) as curves:
            _run(trainer, curves)
    except KeyboardInterrupt:
        again = ["masklet", "train", recipe, "--data", str(data), "-o", str(run)]
        again += ["--from", initial_weights] if initial_weights else []
        again += ["--device", device] if device else []
        print(f"Stopped at step {trainer.step} of {trainer.recipe.total_steps}. Go on with: {shlex.join(again)}")
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    finally:
        _make_usable(run / AVERAGE_FOLDER, trainer.average.model.config.image_size)
    print(run / AVERAGE_FOLDER)


def _writer_class() -> type[SummaryWriter]:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise InvalidInputError(
            "Training writes its curves by TensorBoard, which is missing: pip install 'masklet[train]'."
        ) from error
    return SummaryWriter


def _run(trainer: Trainer, curves: SummaryWriter) -> None:
    """Train with a progress bar, all values in the curves, and a line whenever the state has been written."""
    from masklet.cli.progress import PerSecond, progress_bar

    recipe = trainer.recipe
    with progress_bar("loss {task.fields[loss]}", PerSecond("steps")) as progress:
        task = progress.add_task("Training", total=recipe.total_steps, completed=trainer.step, loss="-")

        def report(step: int, values: dict[str, float]) -> None:
            for name, value in values.items():
                curves.add_scalar(name, value, step)
            loss = f"{values['total']:.4f}"
            progress.update(task, completed=step, loss=loss)
            if step % recipe.save_every == 0:
                print(f"step {step} of {recipe.total_steps}: loss {loss}", flush=True)

        trainer.report = report
        trainer.run()


def _make_usable(model_folder: Path, image_size: int) -> None:
    """Put the processor's settings beside the trained model, if there is one, so that `--model` takes the folder."""
    from masklet.processing.image_processor import Sam2ImageProcessorFast
    from masklet.processing.processor import Sam2Processor

    if model_folder.is_dir():
        size = {"height": image_size, "width": image_size}
        Sam2Processor(Sam2ImageProcessorFast(size=size)).save_pretrained(model_folder)
