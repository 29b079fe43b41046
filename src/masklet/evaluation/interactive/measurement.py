"""The measurement of a predictor on annotated videos, corrected by a simulated user."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from masklet.evaluation.interactive.annotation_rounds import PAPER, AnnotationRounds, Effort, Interaction
from masklet.evaluation.interactive.predictors import InteractivePredictor
from masklet.evaluation.measured_item import MeasuredItem, WorstFrames
from masklet.evaluation.measurement import FolderPath, Progress, fingerprint_of, measure_all
from masklet.evaluation.reporting.report import Curve, Report, number_of
from masklet.evaluation.vos.measured_videos import MeasuredVideos, first_masks, require_undamaged
from masklet.evaluation.vos.scores import CountingRule, counted_frames, without_ends
from masklet.formats.reading.annotated import AnnotatedVideo
from masklet.masks.geometry import Mask
from masklet.masks.run_length import RunLength, encode_run_length
from masklet.media.images import Pixels

AVERAGE = "average"


@dataclass(frozen=True)
class InteractiveReport(Report):
    """What one predictor reached: J&F after each number of annotated frames, and their average, as the paper ranks."""

    title: ClassVar[str] = "J&F by the number of annotated frames"
    item_kind: ClassVar[str] = "videos"
    x_label: ClassVar[str] = "annotated frames"
    y_label: ClassVar[str] = "J&F, %"

    interaction: Interaction = Interaction.OFFLINE
    effort: Effort = PAPER
    rule: CountingRule = CountingRule.DAVIS

    def shown(self) -> dict[str, str]:
        """Return the average and J&F after each number of frames, whose heading is only the number."""
        return _headings(range(1, self.effort.frames + 1))

    def compared(self) -> dict[str, str]:
        """Return the average, and J&F after one frame, three frames and all of them."""
        return _headings(sorted({each for each in (1, 3, self.effort.frames) if each <= self.effort.frames}))

    def curves(self) -> list[Curve]:
        """Return J&F over the number of annotated frames."""
        counts = tuple(range(1, self.effort.frames + 1))
        return [Curve(self.predictor, counts, tuple(self.means[number_of(each, "frame")] for each in counts))]

    def to_dict(self) -> dict[str, Any]:
        """Return predictor, protocol, the means with their intervals, and the values of every video and object."""
        sequences = [
            {"sequence": item.name, "frames": item.frames, "object_ids": item.object_ids, "values": item.values}
            for item in self.items
        ]
        return {
            "predictor": self.predictor,
            "interaction": self.interaction,
            "effort": asdict(self.effort),
            "rule": self.rule,
            "sequences": sequences,
            "scores": self.means,
            "intervals": self.intervals,
        }


def _headings(counts: Iterable[int]) -> dict[str, str]:
    return {AVERAGE: AVERAGE} | {str(count): number_of(count, "frame") for count in counts}


def evaluate_interactive(
    root: FolderPath,
    predictor: InteractivePredictor,
    *,
    interaction: Interaction = Interaction.OFFLINE,
    effort: Effort = PAPER,
    sequences: Sequence[str] | None = None,
    rule: CountingRule | None = None,
    folder: FolderPath | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> InteractiveReport:
    """Measure `predictor` on the videos under `root`; arguments as of `InteractiveMeasurement` and `measure_all`."""
    videos = MeasuredVideos.chosen(root, sequences, rule)
    measurement = InteractiveMeasurement(videos, predictor, interaction, effort)
    return measurement.report(measure_all(measurement, folder=folder, workers=workers, progress=progress))


@dataclass(frozen=True)
class InteractiveMeasurement:
    """J&F after each number of annotated frames, every object by itself.

    Attributes:
        videos: what it is measured on.
        predictor: what is measured.
        interaction, effort: what the simulated user does.

    A sequence without objects is skipped.

    Raises:
        InvalidInputError: before anything is measured, if sequences are unknown or too short.
    """

    videos: MeasuredVideos
    predictor: InteractivePredictor
    interaction: Interaction = Interaction.OFFLINE
    effort: Effort = PAPER

    @property
    def predictor_name(self) -> str:
        """The predictor's own name and the protocol."""
        return f"{self.predictor.name}, {self.interaction}"

    def names(self) -> Sequence[str]:
        """Return the sequences to measure."""
        return self.videos.names()

    def files(self, name: str) -> Sequence[Path]:
        """Return the files of a sequence."""
        return self.videos.files(name)

    def settings(self) -> dict[str, Any]:
        """Return what the scores depend on."""
        return {
            "kind": "interactive",
            "predictor": self.predictor.name,
            "fingerprint": fingerprint_of(self.predictor),
            "interaction": self.interaction,
            "effort": asdict(self.effort),
        } | self.videos.settings()

    def measure(self, name: str) -> MeasuredItem:
        """Measure one video."""
        video = self.videos[name]
        worst = WorstFrames()
        of_objects = {each: self._annotate(video, each, worst) for each in self._visible_objects(video)}
        rounds = {each: scores for each, scores in of_objects.items() if scores}
        values = {
            number_of(count + 1, "frame"): tuple(scores[count] for scores in rounds.values())
            for count in range(self.effort.frames)
        }
        values[AVERAGE] = tuple(float(np.mean(scores)) for scores in rounds.values())
        return self.videos.item(video, tuple(rounds), values, worst)

    def report(self, items: tuple[MeasuredItem, ...]) -> InteractiveReport:
        """Return the means over the objects of all videos."""
        return InteractiveReport(self.predictor_name, items, self.interaction, self.effort, self.videos.rule)

    def frame_and_mask(self, name: str, frame: int, object_id: int) -> tuple[Pixels, Mask]:
        """Return a frame of a video and the mask of one of its objects."""
        return self.videos.frame_and_mask(name, frame, object_id)

    def _visible_objects(self, video: AnnotatedVideo) -> list[int]:
        """Return the objects that count and are visible on some frame, ascending."""
        appearing = first_masks(video, self.videos.counted_objects(video))
        return sorted(object_id for masks in appearing.values() for object_id in masks)

    def _annotate(self, video: AnnotatedVideo, object_id: int, worst: WorstFrames) -> list[float]:
        """Return J&F of one object after each number of annotated frames, or nothing where it does not count."""
        targets = _targets(video, object_id)
        with video.open_frames() as frames:
            rounds = AnnotationRounds(self.predictor.open(frames), targets, self.interaction, self.effort)
            scores = list(rounds.run())
            require_undamaged(video, frames)
        counted = [counted_frames(without_ends(each), self.videos.rule) for each in scores]
        if not all(counted):
            return []
        for frame, of_frame in without_ends(list(zip(targets, scores[-1], strict=True))):
            worst.offer(object_id, frame, of_frame.j_and_f, rounds.predicted(frame))
        return [float(np.mean([of_frame.j_and_f for of_frame in each])) for each in counted]


def _targets(video: AnnotatedVideo, object_id: int) -> dict[int, RunLength]:
    """Return the mask of one object on every frame on which it is annotated, as run lengths."""
    found = {frame: video.masks(frame).get(object_id) for frame in video.annotated_frames_of(object_id)}
    shape = next(mask.shape for mask in found.values() if mask is not None)
    empty = np.zeros(shape, dtype=bool)
    return {frame: encode_run_length(empty if mask is None else mask) for frame, mask in found.items()}
