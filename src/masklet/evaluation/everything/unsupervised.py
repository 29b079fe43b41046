"""The unsupervised protocol of DAVIS 2017: tracks without names against all objects of a video.

https://github.com/davisvideochallenge/davis2017-evaluation, task "unsupervised": up to 20 tracks that do not overlap, J
and F of every track with every object on all annotated frames, the first and the last included, without what is void;
then the assignment of tracks to objects whose mean J&F is the largest. Tracks beyond the objects cost nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from masklet.evaluation.vos.predictors import by_highest_logit
from masklet.evaluation.vos.scores import FrameScores
from masklet.masks.assignment import best_assignment
from masklet.masks.geometry import Mask
from masklet.masks.segmentation import Segmentation
from masklet.masks.suppression import flat_layers

MOST_TRACKS = 20


def chosen_tracks(frames: Iterable[Segmentation], most: int = MOST_TRACKS) -> tuple[int, ...]:
    """Return the ids of the best tracks of a video, ascending: those whose scores on all their frames sum to the most.

    That is the number of frames times the mean score; frames where a mask is empty do not count.
    """
    totals: dict[int, float] = defaultdict(float)
    for found in frames:
        for object_id, score, area in zip(found.object_ids, found.scores, found.areas, strict=True):
            totals[object_id] += float(score) if area else 0.0
    return tuple(sorted(sorted(totals, key=totals.__getitem__, reverse=True)[:most]))


def without_overlapping_tracks(found: Segmentation) -> Segmentation:
    """Return the masks of a frame without what others of them have, without logits.

    A pixel goes to the mask with the highest logit there, or, without logits, to the smallest one.
    """
    if found.low_resolution_logits is None or not len(found):
        return flat_layers(found)
    labels = by_highest_logit(found)
    masks = (labels == object_id for object_id in found.object_ids)
    return Segmentation.from_masks(masks, found.size, found.scores, found.object_ids)


@dataclass(frozen=True)
class TrackScores:
    """J and F of every track with every object on every frame, in this order.

    Attributes:
        frames: float64 [tracks, objects, frames, 4]: the fields of `FrameScores`.
    """

    frames: npt.NDArray[np.float64]

    @property
    def j_and_f(self) -> npt.NDArray[np.float64]:
        """The mean over the frames of J and F, [tracks, objects]."""
        return np.asarray(self.frames[..., :2].mean(axis=(2, 3)))

    def assigned(self) -> tuple[int, ...]:
        """Return the place of the track that each object is measured with.

        Each track is of one object at most, such that the sum of J&F is the largest.
        """
        _, tracks = best_assignment(self.j_and_f.T)  # of all objects: there are at least as many tracks
        return tuple(int(each) for each in tracks)

    def series(self, track: int, target: int) -> list[FrameScores]:
        """Return the scores of a track with an object, by their places, on each frame."""
        return [FrameScores(j, f, bool(true), bool(found)) for j, f, true, found in self.frames[track, target].tolist()]


class TrackComparison:
    """Gathers what tracks and objects have to do with each other, as the frames come by.

    Args:
        tracks: ids of the tracks.
        objects: ids of the objects, one or more. Where these are more than tracks, tracks that are nowhere are added,
            as DAVIS' tool does.
    """

    def __init__(self, tracks: Sequence[int], objects: Sequence[int]) -> None:
        self.tracks, self.objects = tuple(tracks), tuple(objects)
        self._places = max(len(self.tracks), len(self.objects))
        self._scores: list[list[list[FrameScores]]] = []

    def add(self, found: Mapping[int, Mask], targets: Mapping[int, Mask], void: Mask | None = None) -> None:
        """Measure a frame.

        Args:
            found: the masks (bool [H, W]) of tracks on it, by id; others than `tracks` are left out.
            targets: the masks (bool [H, W]) of the objects on it, by id.
            void: pixels (bool [H, W]) that count for nothing.
        """
        shown = next((each for each in (*targets.values(), *found.values())), np.zeros((1, 1), dtype=bool))
        nowhere = np.zeros_like(shown)
        counts = ~nowhere if void is None else ~void
        truth = [targets.get(each, nowhere) & counts for each in self.objects]
        masks = [found.get(each, nowhere) & counts for each in self.tracks]
        masks += [nowhere] * (self._places - len(masks))
        self._scores.append([[FrameScores.between(target, mask) for target in truth] for mask in masks])

    def scores(self) -> TrackScores:
        """Return J and F on all frames that were added, one or more."""
        return TrackScores(np.array(self._scores, dtype=np.float64).transpose(1, 2, 0, 3))
