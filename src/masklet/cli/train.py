"""`masklet train`: runs a recipe."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from masklet.cli.exit_codes import ExitCode
from masklet.cli.image_options import MaxImagePixelsOption
from masklet.cli.model_options import DeviceOption
from masklet.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from masklet.training.network.footprint import Footprint
    from masklet.training.run.observer import RunObserver
    from masklet.training.run.trainer import Trainer
    from masklet.training.settings.recipe import Recipe


def train(
    recipe: Annotated[
        str, typer.Argument(help="scratch, finetune-image, finetune-video, lora, ...; a wrong one lists all.")
    ],
    data: Annotated[
        list[Path] | None,
        typer.Option(
            "--data",
            metavar="ROOT",
            help="Annotated data, or images without annotations, for procedural scenes; repeatable.",
        ),
    ] = None,
    run: Annotated[Path | None, typer.Option("-o", "--output", metavar="RUN", help="The folder of this run.")] = None,
    initial_weights: Annotated[
        str | None,
        typer.Option("--from", metavar="PATH_OR_ID", help="Begin with this checkpoint; default: the recipe decides."),
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="Set a field, for example losses.dice=4; repeatable."),
    ] = None,
    evaluation_data: Annotated[
        list[Path] | None,
        typer.Option("--evaluate", metavar="ROOT", help="Annotated data to measure on before and after; repeatable."),
    ] = None,
    device: DeviceOption = None,
    max_image_pixels: MaxImagePixelsOption = None,
    show: Annotated[bool, typer.Option("--show", help="Print every field as it would run, and stop.")] = False,
) -> None:
    """Train a model; the same command resumes an interrupted run where it stopped.

    RUN gets the state of the run, the model (RUN/average, for --model), a line a step (RUN/steps.jsonl), curves
    (tensorboard --logdir RUN), images of predictions and, at the end, RUN/report.html.
    """
    # Torch's own warnings are about how DDP is used; it reads this when it is imported.
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    chosen = _recipe(recipe, data or [], initial_weights, changes or [], run)
    if show:
        _show(chosen)
        return
    if run is None or not data:
        raise InvalidInputError("Training needs data (--data ROOT) and a folder for the run (-o RUN).")
    _require_annotations(recipe, chosen)
    again = [*_options("--data", data), "-o", str(run), *_options("--from", [initial_weights or ""])]
    again += _options("--set", changes) + _options("--evaluate", evaluation_data) + _options("--device", [device or ""])
    again += _options("--max-image-pixels", [max_image_pixels or ""])
    from masklet.devices import usable_device

    _train(chosen, run, usable_device(device), evaluation_data or [], shlex.join(["masklet", "train", recipe, *again]))


def _options(name: str, values: Sequence[object] | None) -> list[str]:
    """Return the words of a command line that give an option these values."""
    return [word for value in values or () if str(value) for word in (name, str(value))]


def _recipe(
    name: str, data: Sequence[Path], initial_weights: str | None, changes: Sequence[str], run: Path | None
) -> Recipe:
    """Make the recipe with its changes.

    A resumed run keeps the network that it began with, whatever has become of the checkpoint.
    """
    from masklet.training.recipes import maker_of
    from masklet.training.recipes.ingredients import Ingredients
    from masklet.training.run.run_record import RunRecord
    from masklet.training.run.run_state import STATE_FILE
    from masklet.training.settings.overrides import overridden

    for root in data:
        if not root.exists():
            raise InvalidInputError(f"There is no folder {root} (--data).")
    _refuse_sizes_of_the_model(changes)
    make = maker_of(name)
    record = RunRecord.load(run) if run and (run / STATE_FILE).exists() else None
    given = Ingredients.of(data, initial_weights, begun=record)
    return overridden(make(given), changes)


def _refuse_sizes_of_the_model(changes: Sequence[str]) -> None:
    """Refuse sizes of the network, which takes that of the stage that it is in."""
    for name in (change.partition("=")[0].strip() for change in changes):
        if name.startswith("model.") and name.endswith(".image_size"):
            raise InvalidInputError(
                f"{name} follows from the stages: set stages.0.image_size, and those of further stages."
            )


def _show(recipe: Recipe) -> None:
    """Print the fields in the form that --set takes."""
    from masklet.training.settings.overrides import settings

    for name, text in settings(recipe).items():
        print(f"{name}={text}")


def _require_annotations(name: str, recipe: Recipe) -> None:
    from masklet.training.recipes import LEARN_FROM_ANNOTATIONS

    if name in LEARN_FROM_ANNOTATIONS and not recipe.data.roots:
        raise InvalidInputError(
            f"{name} learns from annotated data, and none was given (--data); `masklet data check ROOT` reports what a "
            "folder lacks."
        )


def _train(recipe: Recipe, run: Path, device: str, evaluation_data: Sequence[Path], again: str) -> None:
    from masklet.checkpoints.other_programs import Program, why_not_run
    from masklet.cli.training_progress import TrainingProgress
    from masklet.training.run.run_state import AVERAGE_FOLDER
    from masklet.training.run.trainer import Trainer

    with TrainingProgress() as progress:
        # Faults of settings, checkpoint and kinds of data are raised here; what follows may take long.
        trainer = Trainer(recipe, run, device, [progress, *_reports(evaluation_data, device)])
        _check_data(recipe, prints=trainer.devices.is_first)
        if trainer.devices.is_first:
            print(_estimate(trainer))
        try:
            trainer.run()
        except KeyboardInterrupt:
            if trainer.devices.is_first:
                print(f"Stopped at step {trainer.step} of {recipe.total_steps}. Continue with: {again}")
            raise typer.Exit(ExitCode.INTERRUPTED) from None
    if trainer.devices.is_first:
        print(run / AVERAGE_FOLDER)
        if reason := why_not_run(Program.TRANSFORMERS, recipe.model, with_memory=True):
            print(f"Note: {reason}", file=sys.stderr)


def _check_data(recipe: Recipe, *, prints: bool) -> None:
    """Print what data is used as; refuse annotated data that is missing or not sound, before anything is computed."""
    from masklet.datasets.checking import require_readable, require_sound
    from masklet.datasets.sampling.epoch_order import MOST_SKIPPED

    for root in recipe.image_folders if prints else ():
        print(f"{root}: no annotations in a known layout; its images go into procedural scenes.")
    for root in recipe.data.roots:
        require_sound(root)
    require_readable(recipe.data.roots, MOST_SKIPPED)


def _estimate(trainer: Trainer) -> Footprint:
    from masklet.training.network.footprint import estimate_footprint

    devices, recipe = trainer.devices, trainer.recipe
    micro_batches = max(recipe.hardware.micro_batches_per_step, devices.count)
    is_half = devices.precision != "float32"
    return estimate_footprint(
        recipe, device=devices.device.type, micro_batches=micro_batches, is_half_precision=is_half
    )


def _reports(evaluation_data: Sequence[Path], device: str) -> list[RunObserver]:
    """All reports of a run, those that others build on first."""
    from masklet.training.reports.html_report import HtmlReport
    from masklet.training.reports.measurements import BeforeAndAfter
    from masklet.training.reports.predictions import Predictions
    from masklet.training.reports.processor_settings import ProcessorSettings
    from masklet.training.reports.step_log import StepLog
    from masklet.training.reports.tensorboard_curves import TensorBoardCurves

    reports: list[RunObserver] = [StepLog(), ProcessorSettings(), Predictions(), TensorBoardCurves()]
    if evaluation_data:
        reports.append(BeforeAndAfter(evaluation_data, device))
    return [*reports, HtmlReport()]
