"""`masklet evaluate`: how good a model is, and what it has to beat."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from masklet.cli.evaluate_vos import vos
from masklet.cli.evaluation_files import write_reports
from masklet.cli.exit_codes import EXPLANATION
from masklet.cli.model_options import DataTypeOption, DeviceOption, ImageSizeOption, ModelOption, load_segmenter

if TYPE_CHECKING:
    from rich.progress import Progress

    from masklet.evaluation.predictors import StillPredictor
    from masklet.evaluation.stills_report import StillsReport

ALL_CLICKS = (1, 3, 5)

evaluation = typer.Typer(help="Measure how well pictures and videos are segmented.", rich_markup_mode=None)
evaluation.command(epilog=EXPLANATION)(vos)


class PredictorName(StrEnum):
    """What `masklet evaluate stills` can measure."""

    MODEL = "model"
    GRABCUT = "grabcut"
    ELLIPSE = "ellipse"
    ALL = "all"


@evaluation.callback()
def choose() -> None:
    """Measure how well pictures and videos are segmented."""


@evaluation.command(epilog=EXPLANATION)
def stills(
    root: Annotated[Path, typer.Argument(help="A folder in COCO format, or a folder of such folders (domains).")],
    model: ModelOption = None,
    predictor: Annotated[PredictorName, typer.Option(help="What to measure.")] = PredictorName.MODEL,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Write the scores to this JSON file.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many pictures of each domain.")] = None,
    objects_per_picture: Annotated[
        int | None, typer.Option(min=1, help="Only the first so many objects of each picture.")
    ] = None,
    device: DeviceOption = None,
    dtype: DataTypeOption = None,
    image_size: ImageSizeOption = None,
) -> None:
    """Measure the mean IoU after 1, 3 and 5 simulated clicks and from a box.

    ROOT, or each folder in it, holds images/ and annotations.json (COCO instances). The first click is at the deepest
    point of the object, each further one at the deepest point of the larger error; boxes are the objects' own. The
    JSON file holds a list with one report per predictor.
    """
    from rich.console import Console

    from masklet.cli.progress import progress_bar
    from masklet.evaluation.stills_report import stills_table

    with progress_bar() as progress:
        loading = progress.add_task("Loading", total=None)
        measured = _predictors(predictor, model, device, dtype, image_size)
        progress.remove_task(loading)
        reports = [_measure(root, each, clicks, limit, objects_per_picture, progress) for each, clicks in measured]
    if output is not None:
        write_reports(output, [report.to_json() for report in reports])
    Console().print(stills_table(reports))


def _predictors(
    wanted: PredictorName, model: str | None, device: str | None, dtype: str | None, image_size: int | None
) -> list[tuple[StillPredictor, Sequence[int]]]:
    """Return what is to be measured, each with the numbers of clicks after which to measure it."""
    from masklet.evaluation.baselines import GrabCut, InscribedEllipse
    from masklet.evaluation.model_predictor import ModelPredictor

    chosen: list[tuple[StillPredictor, Sequence[int]]] = []
    if wanted in (PredictorName.MODEL, PredictorName.ALL):
        segmenter = load_segmenter(model, device, dtype, image_size)
        chosen.append((ModelPredictor(segmenter, name=model or "masklet"), ALL_CLICKS))
    if wanted in (PredictorName.GRABCUT, PredictorName.ALL):
        chosen.append((GrabCut(), ALL_CLICKS))
    if wanted in (PredictorName.ELLIPSE, PredictorName.ALL):
        chosen.append((InscribedEllipse(), ()))
    return chosen


def _measure(
    root: Path,
    predictor: StillPredictor,
    clicks: Sequence[int],
    limit: int | None,
    objects_per_picture: int | None,
    progress: Progress,
) -> StillsReport:
    from masklet.evaluation.stills import evaluate_stills

    task = progress.add_task(f"Measuring {predictor.name}", total=None)

    def show(done: int, total: int) -> None:
        progress.update(task, completed=done, total=total)

    return evaluate_stills(
        root, predictor, clicks=clicks, limit=limit, objects_per_picture=objects_per_picture, progress=show
    )
