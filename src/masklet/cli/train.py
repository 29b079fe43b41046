"""`masklet train`: runs a recipe."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from masklet.cli.exit_codes import ExitCode
from masklet.cli.model_options import DeviceOption, usable_device
from masklet.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from masklet.training.run.observer import RunObserver
    from masklet.training.settings.recipe import Recipe


def train(
    recipe: Annotated[
        str, typer.Argument(help="scratch, finetune-image, finetune-video, lora, ...; a wrong one lists all.")
    ],
    data: Annotated[
        list[Path] | None,
        typer.Option(
            "--data", metavar="ROOT", help="Annotated data, or mere pictures for procedural scenes; repeatable."
        ),
    ] = None,
    run: Annotated[Path | None, typer.Option("-o", "--output", metavar="RUN", help="The folder of this run.")] = None,
    initial_weights: Annotated[
        str | None,
        typer.Option("--from", metavar="PATH_OR_ID", help="Begin with this checkpoint; default: the recipe decides."),
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="Set a field, say losses.dice=4; repeatable."),
    ] = None,
    evaluation_data: Annotated[
        list[Path] | None,
        typer.Option("--evaluate", metavar="ROOT", help="Annotated data to measure on before and after; repeatable."),
    ] = None,
    device: DeviceOption = None,
    show: Annotated[bool, typer.Option("--show", help="Print every field as it would run, and stop.")] = False,
) -> None:
    """Train a model; an interrupted run goes on where it stopped when the same command is given again.

    RUN gets the state of the run, the model (RUN/average, for --model), a line a step (RUN/steps.jsonl), curves
    (tensorboard --logdir RUN), pictures of predictions and, at the end, RUN/report.html.
    """
    chosen = _recipe(recipe, data or [], initial_weights, changes or [])
    if show:
        _show(chosen)
        return
    if run is None or not data:
        raise InvalidInputError("Training needs data (--data ROOT) and a folder for the run (-o RUN).")
    _check(recipe, data)
    again = ["masklet", "train", recipe, *_options("--data", data), "-o", str(run)]
    again += [*_options("--from", [initial_weights or ""]), *_options("--set", changes)]
    again += [*_options("--evaluate", evaluation_data), *_options("--device", [device or ""])]
    _train(chosen, run, usable_device(device), evaluation_data or [], shlex.join(again))


def _options(name: str, values: Sequence[object] | None) -> list[str]:
    """The words of a command line that give an option these values."""
    return [word for value in values or () if str(value) for word in (name, str(value))]


def _recipe(name: str, data: Sequence[Path], initial_weights: str | None, changes: Sequence[str]) -> Recipe:
    from masklet.training.recipes import recipe_named
    from masklet.training.settings.overrides import overridden

    for root in data:
        if not root.exists():
            raise InvalidInputError(f"There is no folder {root} (--data).")
    return overridden(recipe_named(name, *data, initial_weights=initial_weights), changes)


def _show(recipe: Recipe) -> None:
    """Print the fields in the form that --set takes."""
    from masklet.training.settings.overrides import settings

    for name, text in settings(recipe).items():
        print(f"{name}={text}")


def _check(recipe: str, roots: Sequence[Path]) -> None:
    """Say what data is taken for; refuse annotated data that is missing or not sound, before anything is computed."""
    from masklet.datasets.checking import require_sound
    from masklet.training.recipes import LEARN_FROM_ANNOTATIONS
    from masklet.training.recipes.ingredients import Ingredients

    given = Ingredients.of(roots)
    for root in given.pictures if given.annotated else ():
        print(f"{root}: no annotations in a known layout; its pictures go into procedural scenes.")
    if recipe in LEARN_FROM_ANNOTATIONS and not given.annotated:
        raise InvalidInputError(
            f"{recipe} learns from annotated data, and none was given (--data); `masklet data check ROOT` says what a "
            "folder lacks."
        )
    for root in given.annotated:
        require_sound(root)


def _train(recipe: Recipe, run: Path, device: str, evaluation_data: Sequence[Path], again: str) -> None:
    from masklet.cli.training_progress import TrainingProgress
    from masklet.training.network.memory_estimate import estimate_memory
    from masklet.training.run.run_state import AVERAGE_FOLDER
    from masklet.training.run.trainer import Trainer

    with TrainingProgress() as progress:
        trainer = Trainer(recipe, run, device, [progress, *_reports(evaluation_data, device)])
        if trainer.observers:
            devices = trainer.devices
            is_half = devices.precision != "float32"
            shares = max(recipe.hardware.shares_per_step, devices.count)
            print(estimate_memory(recipe, device=devices.device.type, shares=shares, is_half_precision=is_half))
        try:
            trainer.run()
        except KeyboardInterrupt:
            print(f"Stopped at step {trainer.step} of {recipe.total_steps}. Go on with: {again}")
            raise typer.Exit(ExitCode.INTERRUPTED) from None
    print(run / AVERAGE_FOLDER)


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
