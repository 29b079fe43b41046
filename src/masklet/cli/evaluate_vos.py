"""`masklet evaluate vos`: how well a model follows objects through videos, and what it has to beat."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from masklet.cli.evaluation_files import write_reports
from masklet.cli.model_options import (
    DataTypeOption,
    DeviceOption,
    ImageSizeOption,
    ModelOption,
    PresetOption,
    load_tracker,
)
from masklet.configuration.tracking_presets import TrackingPreset
from masklet.errors import InvalidInputError

if TYPE_CHECKING:
    from masklet.evaluation.video_predictors import VideoPredictor
    from masklet.evaluation.vos import Progress


class VideoPredictorName(StrEnum):
    """What `masklet evaluate vos` can measure."""

    MODEL = "model"
    REPEAT = "repeat"
    FLOW = "flow"
    ALL = "all"


class Rule(StrEnum):
    """Which frames of an object count: `masklet.evaluation.vos_scores.CountingRule`, which numpy comes with."""

    DAVIS = "davis"
    APPEARANCE = "appearance"


def vos(
    root: Annotated[Path, typer.Argument(help="A folder with JPEGImages and Annotations in the layout of DAVIS.")],
    model: ModelOption = None,
    predictor: Annotated[VideoPredictorName, typer.Option(help="What to measure.")] = VideoPredictorName.ALL,
    masks: Annotated[
        Path | None, typer.Option(help="Measure the label maps in this folder (SEQUENCE/FRAME.png) instead.")
    ] = None,
    sequences: Annotated[
        str | None, typer.Option(help="Only these, separated by commas, or a text file with one a line.")
    ] = None,
    rule: Annotated[Rule, typer.Option(help="The frames that count; appearance is that of SA-V.")] = Rule.DAVIS,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", "--json", help="Write the scores to this JSON file.")
    ] = None,
    save_masks: Annotated[
        Path | None, typer.Option(help="Write the label maps to this folder (PREDICTOR/SEQUENCE/FRAME.png).")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Keep the sequences that --save-masks has already.")] = False,
    device: DeviceOption = None,
    dtype: DataTypeOption = None,
    image_size: ImageSizeOption = None,
    preset: PresetOption = TrackingPreset.EXACT,
) -> None:
    """Measure J, F and J&F of following objects from their masks in the first frame, as DAVIS 2017 does.

    ROOT holds JPEGImages/SEQUENCE/FRAME.jpg and Annotations/SEQUENCE/FRAME.png (object ids), perhaps inside 480p. The
    baselines repeat the first mask, or warp it by dense optical flow. The JSON file holds a list with one report per
    predictor.
    """
    from rich.console import Console

    from masklet.cli.progress import progress_bar
    from masklet.evaluation.vos import evaluate_vos, score_saved_masks
    from masklet.evaluation.vos_report import vos_table
    from masklet.evaluation.vos_scores import CountingRule

    if resume and save_masks is None:
        raise InvalidInputError("--resume needs --save-masks, which says where the finished sequences are.")
    if masks is not None and save_masks is not None:
        raise InvalidInputError("--masks measures what is there already; it does not go with --save-masks.")
    with progress_bar() as bar:

        def showing(name: str) -> Progress:
            task = bar.add_task(f"Measuring {name}", total=None)
            return lambda done, total: bar.update(task, completed=done, total=total)

        what: dict[str, Any] = {"sequences": _names(sequences), "rule": CountingRule(rule.value)}
        if masks is not None:
            reports = [score_saved_masks(root, masks, progress=showing(str(masks)), **what)]
        else:
            what |= {"resume": resume}
            reports = [
                evaluate_vos(root, each, save_masks=folder, progress=showing(each.name), **what)
                for each, folder in _predictors(predictor, save_masks, (model, device, dtype, image_size, preset))
            ]
    if output is not None:
        write_reports(output, [report.to_json() for report in reports])
    Console().print(vos_table(reports))


def _names(sequences: str | None) -> list[str] | None:
    if sequences is None:
        return None
    if Path(sequences).is_file():
        return Path(sequences).read_text(encoding="utf-8").split()
    return [name.strip() for name in sequences.split(",") if name.strip()]


def _predictors(
    wanted: VideoPredictorName,
    save_masks: Path | None,
    model_options: tuple[str | None, str | None, str | None, int | None, TrackingPreset],
) -> Iterator[tuple[VideoPredictor, Path | None]]:
    """Yield what is to be measured, each with the folder for its label maps."""
    from masklet.evaluation.video_baselines import RepeatedFirstMask, WarpedFirstMask

    def is_wanted(name: VideoPredictorName) -> bool:
        return wanted in (name, VideoPredictorName.ALL)

    def folder(name: VideoPredictorName) -> Path | None:
        return None if save_masks is None else save_masks / name.value

    if is_wanted(VideoPredictorName.MODEL):
        from masklet.evaluation.video_model_predictor import VideoModelPredictor

        tracker, (name, *_, preset) = load_tracker(*model_options), model_options
        shown = (name or "masklet") + ("" if preset is TrackingPreset.EXACT else f" ({preset})")
        yield VideoModelPredictor(tracker, name=shown), folder(VideoPredictorName.MODEL)
    if is_wanted(VideoPredictorName.REPEAT):
        yield RepeatedFirstMask(), folder(VideoPredictorName.REPEAT)
    if is_wanted(VideoPredictorName.FLOW):
        yield WarpedFirstMask(), folder(VideoPredictorName.FLOW)
