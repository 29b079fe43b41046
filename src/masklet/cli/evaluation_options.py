"""The options that all commands of `masklet evaluate` share, and the model that they choose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from masklet.cli.model_options import load_generator, load_segmenter, load_tracker
from masklet.configuration.presets import SpeedPreset
from masklet.errors import InvalidInputError

if TYPE_CHECKING:
    from masklet.evaluation.vos.measured_videos import MeasuredVideos
    from masklet.predictors.automatic_mask_generator import AutomaticMaskGenerator
    from masklet.predictors.image_segmenter import ImageSegmenter
    from masklet.predictors.video_tracker import VideoTracker

BUNDLED = "bundled"
MODEL, ALL = "model", "all"  # what every --predictor can be, beside the baselines

OutputOption = Annotated[
    Path | None, typer.Option("-o", "--output", "--json", help="Write the scores to this JSON file.")
]
ReportOption = Annotated[
    Path | None,
    typer.Option(
        "--report",
        metavar="FOLDER",
        help="Write scores, tables, curves and the worst frames there; what it holds already is not measured again.",
    ),
]
WorkersOption = Annotated[
    int | None,
    typer.Option("--workers", min=1, help="How many workers share the work; default: 1, on Ray one a GPU or machine."),
]
CompareOption = Annotated[
    tuple[str, str] | None,
    typer.Option("--compare", metavar="A B", help=f"Two models to put into one table; '{BUNDLED}': the bundled one."),
]
VideosArgument = Annotated[
    Path,
    typer.Argument(
        help="Videos with masks: DAVIS, YouTube-VOS, MOSE or SA-V; or a list of sequences in one.", show_default=False
    ),
]


class Rule(StrEnum):
    """Which frames of an object count: `masklet.evaluation.vos.scores.CountingRule`, which numpy comes with."""

    DAVIS = "davis"
    APPEARANCE = "appearance"


CountingRuleOption = Annotated[
    Rule | None,
    typer.Option("--rule", help="The objects and frames that count. [default: davis for DAVIS, appearance for others]"),
]
SequencesOption = Annotated[
    str | None, typer.Option("--sequences", help="Only these, separated by commas, or a text file with one a line.")
]


def refuse_beside(option: str, reason: str, others: Mapping[str, object]) -> None:
    """Raise InvalidInputError if any of `others` is given (not None): it would be without effect.

    Args:
        option: as it was given, for example "--masks".
        reason: why the others have no effect, as the rest of a sentence.
        others: what was given, by the names of the options.
    """
    given = [name for name, value in others.items() if value is not None]
    if given:
        raise InvalidInputError(f"{option} {reason}; it does not go with {', '.join(given)}.")


@dataclass(frozen=True)
class ModelChoice:
    """The options by which a model is loaded, and two models to compare in place of one."""

    model: str | None
    compare: tuple[str, str] | None
    device: str | None
    dtype: str | None
    image_size: int | None
    preset: SpeedPreset = SpeedPreset.EXACT
    zooms: bool = False

    def __post_init__(self) -> None:
        if self.compare is not None:
            refuse_beside("--compare", "names both models", {"--model": self.model})
            if self.compare[0] == self.compare[1]:
                raise InvalidInputError(f"--compare needs two different models; got {self.compare[0]} twice.")

    @property
    def options(self) -> dict[str, object]:
        """What was given, by the names of the options; None for what was not."""
        return {
            "--model": self.model,
            "--compare": self.compare,
            "--device": self.device,
            "--dtype": self.dtype,
            "--image-size": self.image_size,
            "--preset": None if self.preset is SpeedPreset.EXACT else self.preset,
            "--zoom": self.zooms or None,
        }

    def wanted(self, asked: str | None, default: str) -> str:
        """Return what --predictor stands for, `default` without it; InvalidInputError for what contradicts it."""
        predictor = asked or (default if self.compare is None else MODEL)
        if predictor == ALL:
            refuse_beside(f"--predictor {ALL}", "measures one model and the baselines", {"--compare": self.compare})
        if predictor not in (MODEL, ALL):
            refuse_beside(f"--predictor {predictor}", "measures no model", self.options)
        return predictor

    def each(self) -> Iterator[tuple[str, ModelChoice]]:
        """Yield the name and the options of the model, or of the two."""
        for name in self.compare or (self.model,):
            source = None if name == BUNDLED else name
            shown = "masklet" if source is None else source
            if self.preset is not SpeedPreset.EXACT:
                shown = f"{shown} ({self.preset})"
            if self.zooms:
                shown = f"{shown} (zoom)"
            yield shown, replace(self, model=source, compare=None)

    def segmenter(self) -> ImageSegmenter:
        """Load the one model, to segment; see `load_segmenter`."""
        return load_segmenter(self.model, self.device, self.dtype, self.image_size, self.zooms, self.preset)

    def generator(self, preset: str | None) -> AutomaticMaskGenerator:
        """Load the one model, to make automatic masks; see `load_generator`."""
        return load_generator(self.model, self.device, self.dtype, self.image_size, preset)

    def tracker(self) -> VideoTracker:
        """Load the one model, to track; see `load_tracker`."""
        return load_tracker(self.model, self.device, self.dtype, self.image_size, self.preset)


def chosen_videos(root: Path, sequences: str | None, rule: Rule | None) -> MeasuredVideos:
    """Return the videos that the options name, opened, and the rule by which their objects count."""
    from masklet.evaluation.vos.measured_videos import MeasuredVideos
    from masklet.evaluation.vos.scores import CountingRule

    counting = None if rule is None else CountingRule(rule.value)
    return MeasuredVideos.chosen(root, None if sequences is None else _names_in(sequences), counting).opened()


def _names_in(sequences: str) -> tuple[str, ...]:
    """Return the names that the option gives, directly or by a text file."""
    from masklet.formats.reading.annotation_files import read_sequence_list

    if Path(sequences).is_file():
        return read_sequence_list(Path(sequences))
    return tuple(name.strip() for name in sequences.split(",") if name.strip())
