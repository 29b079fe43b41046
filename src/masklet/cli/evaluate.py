"""`masklet evaluate`: the measurement of a model, and of baselines without learning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from masklet.cli.evaluate_everything import everything
from masklet.cli.evaluate_videos import interactive, vos
from masklet.cli.evaluation_options import (
    ALL,
    MODEL,
    CompareOption,
    ModelChoice,
    OutputOption,
    ReportOption,
    WorkersOption,
)
from masklet.cli.evaluation_run import EvaluationRun, RayWorkers
from masklet.cli.exit_codes import EXPLANATION
from masklet.cli.image_options import MaxImagePixelsOption
from masklet.cli.machine_options import MachineCommand, RayOption, ShardOption
from masklet.cli.model_options import (
    DataTypeOption,
    DeviceOption,
    ImageSizeOption,
    ModelOption,
    PresetOption,
    ZoomOption,
)
from masklet.configuration.presets import SpeedPreset

if TYPE_CHECKING:
    from masklet.evaluation.images.predictors import ImagePredictor

ALL_CLICKS = (1, 3, 5)

evaluation = typer.Typer(help="Measure how well images and videos are segmented.", rich_markup_mode=None)
for other_command in (vos, interactive, everything):
    evaluation.command(cls=MachineCommand, epilog=EXPLANATION)(other_command)


class PredictorName(StrEnum):
    """What `masklet evaluate stills` can measure."""

    MODEL = MODEL
    GRABCUT = "grabcut"
    ELLIPSE = "ellipse"
    ALL = ALL


@evaluation.callback()
def choose() -> None:
    """Measure how well images and videos are segmented."""


@evaluation.command(cls=MachineCommand, epilog=EXPLANATION)
def stills(
    root: Annotated[Path, typer.Argument(help="A dataset of images with masks, or a folder of such datasets.")],
    model: ModelOption = None,
    compare: CompareOption = None,
    predictor: Annotated[
        PredictorName | None, typer.Option(help=f"What to measure. [default: {PredictorName.MODEL}]")
    ] = None,
    output: OutputOption = None,
    report: ReportOption = None,
    workers: WorkersOption = None,
    shard: ShardOption = None,
    ray: RayOption = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many images of each dataset.")] = None,
    objects_per_image: Annotated[
        int | None,
        typer.Option(
            "--objects-per-image", "--objects-per-picture", min=1, help="Only the first so many objects of each image."
        ),
    ] = None,
    device: DeviceOption = None,
    dtype: DataTypeOption = None,
    image_size: ImageSizeOption = None,
    preset: PresetOption = SpeedPreset.EXACT,
    zoom: ZoomOption = False,
    max_image_pixels: MaxImagePixelsOption = None,
) -> None:
    """Measure the mean IoU after 1, 3 and 5 simulated clicks and from a box.

    The first click is at the center of the object (the maximum of its distance transform), each further one at the
    center of the larger error region; boxes are the objects' bounding boxes. The JSON file holds a list with one report
    per predictor.
    """
    from masklet.evaluation.annotated_data import check_image_layout
    from masklet.evaluation.images.measurement import ImageMeasurement

    choice = ModelChoice(model, compare, device, dtype, image_size, preset, zooms=zoom)
    wanted = choice.wanted(predictor, PredictorName.MODEL)
    run = EvaluationRun(output, report, workers, compare is not None, shard, RayWorkers.of(ray, device, root))
    check_image_layout(root)  # before the model is loaded

    def measurements() -> Sequence[ImageMeasurement]:
        return [
            ImageMeasurement(str(root), each, clicks, True, limit, objects_per_image)
            for each, clicks in _predictors(wanted, choice)
        ]

    run.show(measurements)


def _predictors(wanted: str, choice: ModelChoice) -> Iterator[tuple[ImagePredictor, tuple[int, ...]]]:
    """Yield the predictors to measure, each with the numbers of clicks after which to measure it."""
    from masklet.evaluation.images.baselines import GrabCut, InscribedEllipse
    from masklet.evaluation.images.predictors import ImageModelPredictor

    if wanted in (PredictorName.MODEL, PredictorName.ALL):
        for name, each in choice.each():
            yield ImageModelPredictor(each.segmenter(), name=name), ALL_CLICKS
    if wanted in (PredictorName.GRABCUT, PredictorName.ALL):
        yield GrabCut(), ALL_CLICKS
    if wanted in (PredictorName.ELLIPSE, PredictorName.ALL):
        yield InscribedEllipse(), ()
