"""`masklet evaluate everything`: the measurement of what is found without a prompt."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from masklet.cli.evaluation_options import (
    CompareOption,
    CountingRuleOption,
    ModelChoice,
    OutputOption,
    ReportOption,
    SequencesOption,
    WorkersOption,
    chosen_videos,
    refuse_beside,
)
from masklet.cli.evaluation_run import EvaluationRun
from masklet.cli.everything_options import assigned
from masklet.cli.image_options import MaxImagePixelsOption
from masklet.cli.model_options import DataTypeOption, DeviceOption, ImageSizeOption, ModelOption, ZoomOption

if TYPE_CHECKING:
    from masklet.automask.policy import EverythingPolicy
    from masklet.evaluation.everything.image_measurement import EverythingImageMeasurement
    from masklet.evaluation.everything.video_measurement import EverythingVideoMeasurement
    from masklet.evaluation.vos.measured_videos import MeasuredVideos


PolicyChangesOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Videos: change a setting of the policy; repeatable."),
]


class Kind(StrEnum):
    """What a folder holds."""

    IMAGE = "image"
    VIDEO = "video"


def everything(
    root: Annotated[
        Path, typer.Argument(help="Images or videos with masks, or a folder of datasets of images.", show_default=False)
    ],
    kind: Annotated[Kind | None, typer.Option(help="What the folder holds. [default: by its layout]")] = None,
    model: ModelOption = None,
    compare: CompareOption = None,
    preset: Annotated[
        str | None, typer.Option("--preset", metavar="NAME", help="Settings of automatic masks; default: the model's.")
    ] = None,
    policy: Annotated[
        str | None, typer.Option("--policy", metavar="NAME", help="Videos: careful, default or fast.")
    ] = None,
    changes: PolicyChangesOption = None,
    zoom: ZoomOption = False,
    output: OutputOption = None,
    report: ReportOption = None,
    workers: WorkersOption = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many images of each dataset.")] = None,
    sequences: SequencesOption = None,
    rule: CountingRuleOption = None,
    device: DeviceOption = None,
    dtype: DataTypeOption = None,
    image_size: ImageSizeOption = None,
    max_image_pixels: MaxImagePixelsOption = None,
) -> None:
    """Measure what is found without a prompt against all that is annotated.

    Images: average recall (AR) of the best 10, 100 and 1000 masks by COCO's rules without classes, by the size of the
    objects and of wholes and parts: of the masks as delivered, and as proposals, without thresholds.

    Videos: J&F of up to 20 tracks by the unsupervised protocol of DAVIS 2017, and beside it that of the best track of
    each object and of the model prompted with the first masks.
    """
    from masklet.automask.policy import EverythingPolicy
    from masklet.automask.settings import AutomaticMaskSettings
    from masklet.evaluation.annotated_data import holds_annotated_videos

    choice = ModelChoice(model, compare, device, dtype, image_size, zooms=zoom)
    run = EvaluationRun(output, report, workers, compare is not None)
    if holds_annotated_videos(root) if kind is None else kind is Kind.VIDEO:
        refuse_beside("A dataset of videos", "is measured whole", {"--preset": preset, "--limit": limit})
        chosen = EverythingPolicy.named(policy or "default", **assigned(changes or [], EverythingPolicy))
        videos = chosen_videos(root, sequences, rule)
        run.show(lambda: _of_videos(videos, choice, chosen))
    else:
        own = {"--policy": policy, "--set": changes, "--zoom": zoom or None, "--sequences": sequences, "--rule": rule}
        refuse_beside("A dataset of images", "has no frames", own)
        AutomaticMaskSettings.of_preset(preset)
        run.show(lambda: _of_images(root, choice, preset, limit))


def _of_images(
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


def _of_videos(
    videos: MeasuredVideos, choice: ModelChoice, policy: EverythingPolicy
) -> Sequence[EverythingVideoMeasurement]:
    """Return what measures each model, with itself prompted beside."""
    from masklet.evaluation.everything.tracked_everything import TrackedEverything
    from masklet.evaluation.everything.video_measurement import EverythingVideoMeasurement
    from masklet.evaluation.vos.predictors import VideoModelPredictor

    found = []
    for name, each in choice.each():
        tracker = each.tracker()
        everything = TrackedEverything(tracker, policy, name, zoom=each.zooms)
        prompted = VideoModelPredictor(tracker, name, zoom=each.zooms)
        found.append(EverythingVideoMeasurement(videos, everything, prompted))
    return found
