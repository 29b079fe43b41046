"""`masklet evaluate vos` and `masklet evaluate interactive`: the measurement of models that track."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from masklet.atomic_files import check_writable, remove_unfinished
from masklet.cli.evaluation_options import (
    ALL,
    MODEL,
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
from masklet.cli.evaluation_run import EvaluationRun, RayWorkers
from masklet.cli.image_options import MaxImagePixelsOption
from masklet.cli.machine_options import RayOption, ShardOption
from masklet.cli.model_options import (
    DataTypeOption,
    DeviceOption,
    ImageSizeOption,
    ModelOption,
    PresetOption,
)
from masklet.cli.track_choices import ZoomOption
from masklet.configuration.presets import SpeedPreset
from masklet.errors import InvalidInputError

if TYPE_CHECKING:
    from masklet.evaluation.vos.predictors import VideoPredictor


class VideoPredictorName(StrEnum):
    """What `masklet evaluate vos` can measure."""

    MODEL = MODEL
    REPEAT = "repeat"
    FLOW = "flow"
    ALL = ALL


class Mode(StrEnum):
    """Times at which the simulated user reviews the result: `Interaction` of `annotation_rounds.py`, or both."""

    OFFLINE = "offline"
    ONLINE = "online"
    BOTH = "both"


def vos(
    root: VideosArgument,
    model: ModelOption = None,
    compare: CompareOption = None,
    predictor: Annotated[
        VideoPredictorName | None, typer.Option(help=f"What to measure. [default: {VideoPredictorName.ALL}]")
    ] = None,
    masks: Annotated[
        Path | None, typer.Option(help="Measure the label maps in this folder (SEQUENCE/FRAME.png) instead.")
    ] = None,
    sequences: SequencesOption = None,
    rule: CountingRuleOption = None,
    output: OutputOption = None,
    report: ReportOption = None,
    workers: WorkersOption = None,
    shard: ShardOption = None,
    ray: RayOption = None,
    save_masks: Annotated[
        Path | None, typer.Option(help="Write the masks to this folder (PREDICTOR/SEQUENCE/FRAME.png).")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Keep the masks in --save-masks that the same weights predicted.")
    ] = False,
    device: DeviceOption = None,
    dtype: DataTypeOption = None,
    image_size: ImageSizeOption = None,
    preset: PresetOption = SpeedPreset.EXACT,
    zoom: ZoomOption = False,
    max_image_pixels: MaxImagePixelsOption = None,
) -> None:
    """Measure J, F and J&F of objects tracked from the masks where they first appear.

    The baselines repeat the first masks, or warp them by dense optical flow. The JSON file holds a list with one report
    per predictor.
    """
    from masklet.evaluation.reporting.report_folder import predictor_folders
    from masklet.evaluation.vos.measurement import VosMeasurement

    if resume and save_masks is None:
        raise InvalidInputError("--resume needs --save-masks, the folder of the finished sequences.")
    choice = ModelChoice(model, compare, device, dtype, image_size, preset, zooms=zoom)
    if masks is not None:
        others = {"--predictor": predictor, "--save-masks": save_masks} | choice.options
        refuse_beside("--masks", "measures existing masks", others)
    wanted = choice.wanted(predictor, VideoPredictorName.ALL)
    run = EvaluationRun(output, report, workers, compare is not None, shard, RayWorkers.of(ray, device, root))
    if save_masks is not None:
        check_writable(save_masks)
        remove_unfinished(save_masks)
    videos = chosen_videos(root, sequences, rule)

    def measurements() -> Sequence[VosMeasurement]:
        if masks is not None:
            return [VosMeasurement(videos, None, str(masks))]
        predictors = list(_predictors(wanted, choice))
        names = [each.name for each in predictors]
        folders = [None] * len(names) if save_masks is None else map(str, predictor_folders(save_masks, names))
        return [VosMeasurement(videos, *each, resume) for each in zip(predictors, folders, strict=True)]

    run.show(measurements)


def interactive(
    root: VideosArgument,
    model: ModelOption = None,
    compare: CompareOption = None,
    mode: Annotated[Mode, typer.Option(help="When the user reviews the result.")] = Mode.BOTH,
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
    workers: WorkersOption = None,
    device: DeviceOption = None,
    dtype: DataTypeOption = None,
    image_size: ImageSizeOption = None,
    preset: PresetOption = SpeedPreset.EXACT,
    max_image_pixels: MaxImagePixelsOption = None,
) -> None:
    """Measure J&F after each number of annotated frames, with the clicks of a simulated user.

    Offline, the user sees the whole result, clicks on the frame with the worst overlap, and all is tracked again.
    Online, the video is tracked once, and the user clicks wherever the overlap falls below the threshold. The protocol
    is that of section 6.1 of the SAM 2 paper; every object is tracked by itself.
    """
    from masklet.evaluation.interactive.annotation_rounds import PAPER, Effort, Interaction
    from masklet.evaluation.interactive.measurement import InteractiveMeasurement
    from masklet.evaluation.interactive.predictors import InteractiveModelPredictor

    choice = ModelChoice(model, compare, device, dtype, image_size, preset)
    run = EvaluationRun(output, report, workers, compare is not None)
    modes = list(Interaction) if mode is Mode.BOTH else [Interaction(mode.value)]
    if mode is Mode.OFFLINE:
        refuse_beside(f"--mode {mode}", "never pauses", {"--threshold": threshold})
    effort = Effort(frames, clicks, PAPER.threshold if threshold is None else threshold)
    videos = chosen_videos(root, sequences, rule)

    def measurements() -> Sequence[InteractiveMeasurement]:
        trackers = [InteractiveModelPredictor(each.tracker(), name) for name, each in choice.each()]
        return [InteractiveMeasurement(videos, tracker, each, effort) for tracker in trackers for each in modes]

    run.show(measurements)


def _predictors(wanted: str, choice: ModelChoice) -> Iterator[VideoPredictor]:
    """Yield what is to be measured."""
    from masklet.evaluation.vos.baselines import RepeatedFirstMask, WarpedFirstMask

    def is_wanted(name: VideoPredictorName) -> bool:
        return wanted in (name, VideoPredictorName.ALL)

    if is_wanted(VideoPredictorName.MODEL):
        from masklet.evaluation.vos.predictors import VideoModelPredictor

        for name, each in choice.each():
            yield VideoModelPredictor(each.tracker(), name, zoom=choice.zooms)
    if is_wanted(VideoPredictorName.REPEAT):
        yield RepeatedFirstMask()
    if is_wanted(VideoPredictorName.FLOW):
        yield WarpedFirstMask()
