"""`masklet evaluate interactive`: how fast a user who clicks in a video gets what they want."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import typer

from masklet.cli.evaluation_options import (
    CompareOption,
    CountingRuleOption,
    ModelChoice,
    OutputOption,
    ReportOption,
    SequencesOption,
    VideosArgument,
    WorkersOption,
    chosen_videos,
    refuse_beside,
)
from masklet.cli.evaluation_run import EvaluationRun
from masklet.cli.image_options import MaxImagePixelsOption
from masklet.cli.model_options import (
    DataTypeOption,
    DeviceOption,
    ImageSizeOption,
    ModelOption,
    PresetOption,
)
from masklet.configuration.tracking_presets import TrackingPreset


class Mode(StrEnum):
    """When the simulated user looks at the result: `Interaction` of
    `masklet.evaluation.interactive.annotation_rounds`, or by turns."""

    OFFLINE = "offline"
    ONLINE = "online"
    BOTH = "both"


def interactive(
    root: VideosArgument,
    model: ModelOption = None,
    compare: CompareOption = None,
    mode: Annotated[Mode, typer.Option(help="When the user looks at the result.")] = Mode.BOTH,
    frames: Annotated[int, typer.Option(min=1, help="The largest number of annotated frames.")] = 8,
    clicks: Annotated[int, typer.Option(min=1, help="The largest number of clicks on each of them.")] = 3,
    threshold: Annotated[
        float | None,
        typer.Option(help="Online, pause where the IoU is below: above 0, at most 1. [default: 0.75]"),
    ] = None,
    sequences: SequencesOption = None,
    rule: CountingRuleOption = None,
    output: OutputOption = None,
    report: ReportOption = None,
    workers: WorkersOption = 1,
    device: DeviceOption = None,
    dtype: DataTypeOption = None,
    image_size: ImageSizeOption = None,
    preset: PresetOption = TrackingPreset.EXACT,
    max_image_pixels: MaxImagePixelsOption = None,
) -> None:
    """Measure J&F after each number of annotated frames, the clicks being those of a simulated user.

    Offline, the user sees the whole result, clicks on the frame with the worst overlap, and all is tracked again.
    Online, the video is tracked once, and the user clicks wherever the overlap falls below the threshold. The protocol
    is that of section 6.1 of the SAM 2 paper; every object is tracked by itself.
    """
    from masklet.evaluation.interactive.annotation_rounds import PAPER, Effort, Interaction
    from masklet.evaluation.interactive.correcting import InteractiveMeasurement
    from masklet.evaluation.interactive.interactive_predictors import ClickedModelPredictor

    choice = ModelChoice(model, compare, device, dtype, image_size, preset)
    run = EvaluationRun(output, report, workers, compare is not None)
    modes = list(Interaction) if mode is Mode.BOTH else [Interaction(mode.value)]
    if mode is Mode.OFFLINE:
        refuse_beside(f"--mode {mode}", "never pauses", {"--threshold": threshold})
    effort = Effort(frames, clicks, PAPER.threshold if threshold is None else threshold)
    videos = chosen_videos(root, sequences, rule)

    def measurements() -> Sequence[InteractiveMeasurement]:
        trackers = [ClickedModelPredictor(each.tracker(), name) for name, each in choice.each()]
        return [InteractiveMeasurement(videos, tracker, each, effort) for tracker in trackers for each in modes]

    run.show(measurements)
