"""`masklet evaluate everything`: the measurement of what is found without a prompt."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from masklet.cli.evaluation_options import CompareOption, ModelChoice, OutputOption, ReportOption, WorkersOption
from masklet.cli.evaluation_run import EvaluationRun
from masklet.cli.image_options import MaxImagePixelsOption
from masklet.cli.model_options import DataTypeOption, DeviceOption, ImageSizeOption, ModelOption

if TYPE_CHECKING:
    from masklet.evaluation.everything.image_measurement import EverythingImageMeasurement


def everything(
    root: Annotated[Path, typer.Argument(help="A dataset of images with masks, or a folder of such datasets.")],
    model: ModelOption = None,
    compare: CompareOption = None,
    preset: Annotated[
        str | None, typer.Option("--preset", metavar="NAME", help="Settings of automatic masks; default: the model's.")
    ] = None,
    output: OutputOption = None,
    report: ReportOption = None,
    workers: WorkersOption = 1,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many images of each dataset.")] = None,
    device: DeviceOption = None,
    dtype: DataTypeOption = None,
    image_size: ImageSizeOption = None,
    max_image_pixels: MaxImagePixelsOption = None,
) -> None:
    """Measure automatic masks of images against all that is annotated.

    Average recall (AR) of the best 10, 100 and 1000 masks by COCO's rules without classes, by the size of the objects
    and of wholes and parts: of the masks as delivered, and as proposals, without thresholds.
    """
    from masklet.automask.settings import AutomaticMaskSettings

    AutomaticMaskSettings.of_preset(preset)  # refused before a model is loaded
    choice = ModelChoice(model, compare, device, dtype, image_size)
    EvaluationRun(output, report, workers, compare is not None).show(lambda: _measurements(root, choice, preset, limit))


def _measurements(
    root: Path, choice: ModelChoice, preset: str | None, limit: int | None
) -> Sequence[EverythingImageMeasurement]:
    """Return what measures each model, as delivered and as proposals."""
    from masklet.evaluation.everything.generator_predictors import DeliveredMasks, Proposals
    from masklet.evaluation.everything.image_measurement import EverythingImageMeasurement
    from masklet.evaluation.images.measured_images import MeasuredImages

    images = MeasuredImages(str(root), limit)
    found = []
    for name, each in choice.each():
        generator = each.generator(preset)
        found += [EverythingImageMeasurement(images, kind(generator, name)) for kind in (DeliveredMasks, Proposals)]
    return found
