"""The measurement of everything in annotated videos: found and tracked without a prompt."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from masklet.evaluation.everything.identity import identity_scores
from masklet.evaluation.everything.predictors import EverythingPredictor
from masklet.evaluation.everything.unsupervised import (
    TrackComparison,
    TrackScores,
    chosen_tracks,
    without_overlapping_tracks,
)
from masklet.evaluation.everything.video_report import (
    BEST,
    COVERED,
    DELAY,
    FRAGMENTS,
    KEPT,
    PROMPTED,
    SWITCHES,
    TRACKS,
    EverythingVideoReport,
)
from masklet.evaluation.measured_item import MeasuredItem, WorstFrames
from masklet.evaluation.measurement import fingerprint_of
from masklet.evaluation.vos.measured_videos import MeasuredVideos, require_undamaged
from masklet.evaluation.vos.measurement import VosMeasurement
from masklet.evaluation.vos.predictors import VideoPredictor
from masklet.evaluation.vos.report import J_AND_F, vos_values
from masklet.evaluation.vos.scores import counted_frames, without_ends
from masklet.formats.reading.annotated import AnnotatedVideo
from masklet.masks.geometry import Mask
from masklet.masks.overlap import covered_share
from masklet.masks.segmentation import Segmentation
from masklet.media.images import Pixels


@dataclass(frozen=True)
class EverythingVideoMeasurement:
    """Tracks without names against the annotated objects of videos, by DAVIS' unsupervised protocol.

    Beside it each object by its best track alone, on the frames that the semi-supervised protocol counts, so that the
    difference to the same model prompted with the first masks is what finding the objects costs.

    Attributes:
        videos: what it is measured on.
        predictor: what is measured.
        prompted: the same model, which tracks objects from their first masks; None: this is not measured.
    """

    videos: MeasuredVideos
    predictor: EverythingPredictor
    prompted: VideoPredictor | None = None

    @property
    def predictor_name(self) -> str:
        """The predictor's own name."""
        return self.predictor.name

    def names(self) -> Sequence[str]:
        """Return the names of the videos; InvalidInputError as `MeasuredVideos.names` raises it."""
        return self.videos.names()

    def files(self, name: str) -> Sequence[Path]:
        """Return all files of a video."""
        return self.videos.files(name)

    def settings(self) -> dict[str, Any]:
        """Return what the scores depend on, the choice of videos aside."""
        return {
            "kind": "everything in videos",
            "predictor": self.predictor.name,
            "fingerprint": fingerprint_of(self.predictor),
            "prompted": fingerprint_of(self.prompted),
        } | self.videos.settings()

    def measure(self, name: str) -> MeasuredItem:
        """Measure one video."""
        video = self.videos[name]
        objects = self.videos.counted_objects(video)
        if not objects:
            return self.videos.item(video, (), {}, WorstFrames())
        found = list(self._found(video))
        comparison = TrackComparison(chosen_tracks(found), objects)
        for frame in video.annotated_frames:
            comparison.add(_masks(found[frame]), video.masks(frame), video.void(frame))
        scores = comparison.scores()
        values = _davis_values(scores) | {BEST: tuple(self._of_best_tracks(video, objects, scores))}
        if self.prompted is not None:
            values[PROMPTED] = VosMeasurement(self.videos, self.prompted).measure(name).values.get(J_AND_F, ())
        amounts = {
            TRACKS: float(len({object_id for of_frame in found for object_id in of_frame.object_ids})),
            COVERED: float(np.mean([covered_share(each.run_lengths, each.size) for each in found])),
        } | _identity_amounts(video, objects, found)
        item = self.videos.item(video, objects, values, _worst(video, found, comparison, scores))
        return replace(item, amounts=amounts)

    def report(self, items: tuple[MeasuredItem, ...]) -> EverythingVideoReport:
        """Return the means over the objects of all videos."""
        return EverythingVideoReport(self.predictor.name, items)

    def frame_and_mask(self, name: str, frame: int, object_id: int) -> tuple[Pixels, Mask]:
        """Return a frame of a video and the mask of one of its objects."""
        return self.videos.frame_and_mask(name, frame, object_id)

    def _found(self, video: AnnotatedVideo) -> Iterator[Segmentation]:
        """Yield what was found on each frame of a video, without overlaps."""
        with video.open_frames() as frames:
            yield from map(without_overlapping_tracks, self.predictor.follow(frames))
            require_undamaged(video, frames)

    def _of_best_tracks(self, video: AnnotatedVideo, objects: Sequence[int], scores: TrackScores) -> Iterator[float]:
        """Yield J&F of each object by its best track, on the frames on which prompted tracking is measured, if any."""
        places = {frame: place for place, frame in enumerate(video.annotated_frames)}
        for target, object_id in enumerate(objects):
            inner = [places[frame] for frame in without_ends(video.annotated_frames_of(object_id))]
            of_tracks = []
            for track in range(len(scores.frames)):
                series = scores.series(track, target)
                counted = counted_frames([series[place] for place in inner], self.videos.rule)
                of_tracks += [float(np.mean([each.j_and_f for each in counted]))] if counted else []
            if of_tracks:
                yield max(of_tracks)


def _masks(found: Segmentation) -> dict[int, Mask]:
    return {object_id: found.mask(place) for place, object_id in enumerate(found.object_ids)}


def _identity_amounts(video: AnnotatedVideo, objects: Sequence[int], found: Sequence[Segmentation]) -> dict[str, float]:
    """Return how well the objects keep their tracks on the annotated frames, by the names of the report."""
    of_frames = ((_truth(video, objects, frame, found[frame].size), found[frame]) for frame in video.annotated_frames)
    scores = identity_scores(of_frames)
    amounts = {SWITCHES: scores.switches_per_100, FRAGMENTS: scores.fragments_per_100, KEPT: scores.coverage}
    return amounts | ({DELAY: scores.mean_delay} if scores.delays else {})


def _truth(video: AnnotatedVideo, objects: Sequence[int], frame: int, size: tuple[int, int]) -> Segmentation:
    shown = {each: mask for each, mask in video.masks(frame).items() if each in objects}
    return Segmentation.from_masks(shown.values(), size, np.ones(len(shown)), shown)


def _davis_values(scores: TrackScores) -> dict[str, tuple[float, ...]]:
    """Return the measures of DAVIS' tool of all objects, each with the track that is assigned to it."""
    of_objects = [vos_values(scores.series(track, target)) for target, track in enumerate(scores.assigned())]
    return {measure: tuple(each[measure] for each in of_objects) for measure in of_objects[0]}


def _worst(
    video: AnnotatedVideo, found: Sequence[Segmentation], comparison: TrackComparison, scores: TrackScores
) -> WorstFrames:
    """Return the worst frame of each object, with the mask of the track that is assigned to it."""
    worst = WorstFrames()
    for target, track in enumerate(scores.assigned()):
        of_frames = scores.frames[track, target, :, :2].mean(axis=1)
        place = int(of_frames.argmin())
        frame = video.annotated_frames[place]
        of_frame = found[frame]
        track_id = comparison.tracks[track] if track < len(comparison.tracks) else None
        is_shown = track_id in of_frame.object_ids
        mask = of_frame.mask(of_frame.object_ids.index(track_id)) if is_shown else np.zeros(of_frame.size, dtype=bool)
        worst.offer(comparison.objects[target], frame, float(of_frames[place]), mask)
    return worst
