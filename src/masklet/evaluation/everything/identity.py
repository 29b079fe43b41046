"""How well objects keep their ids through a video: against exact masks of every object on every frame."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from masklet.masks.assignment import best_assignment
from masklet.masks.segmentation import Segmentation
from masklet.masks.suppression import mask_ious

MATCH = 0.5
"""IoU from which on a track is on an object."""


@dataclass(frozen=True, kw_only=True)
class IdentityScores:
    """How objects were followed, over all objects and frames of one video or several.

    Attributes:
        objects: how many there are.
        object_frames: on how many frames objects are there, added up.
        switches: how often the track that is on an object is another one than when a track was on it last.
        fragments: how often an object that is there is lost and followed again.
        covered_frames: on how many of these frames each object's best track is on it, added up.
        delays: of each object that was found, how many frames it was there before a track was on it.
        missed: how many objects were never found.
    """

    objects: int = 0
    object_frames: int = 0
    switches: int = 0
    fragments: int = 0
    covered_frames: int = 0
    delays: tuple[int, ...] = ()
    missed: int = 0

    @property
    def switches_per_100(self) -> float:
        """Switches per 100 frames of an object."""
        return 100 * self.switches / max(self.object_frames, 1)

    @property
    def fragments_per_100(self) -> float:
        """Fragments per 100 frames of an object."""
        return 100 * self.fragments / max(self.object_frames, 1)

    @property
    def coverage(self) -> float:
        """The share of the objects' frames that their best tracks are on, 0 to 1."""
        return self.covered_frames / max(self.object_frames, 1)

    @property
    def mean_delay(self) -> float:
        """Frames from the first of an object that was found to the first that a track is on; NaN if none was."""
        return sum(self.delays) / len(self.delays) if self.delays else float("nan")

    def __add__(self, other: "IdentityScores") -> "IdentityScores":
        return IdentityScores(
            objects=self.objects + other.objects,
            object_frames=self.object_frames + other.object_frames,
            switches=self.switches + other.switches,
            fragments=self.fragments + other.fragments,
            covered_frames=self.covered_frames + other.covered_frames,
            delays=self.delays + other.delays,
            missed=self.missed + other.missed,
        )


@dataclass
class _Followed:
    """One object so far: the tracks on it by how many frames, and its last track."""

    frames: int = 0
    tracks: Counter[int] = field(default_factory=Counter)
    last_track: int | None = None
    is_lost: bool = False
    switches: int = 0
    fragments: int = 0
    delay: int | None = None

    def see(self, track: int | None) -> None:
        """Take a frame that the object is there on, with the track that is on it."""
        if track is None:
            self.is_lost = self.last_track is not None
        else:
            self.switches += self.last_track not in (None, track)
            self.fragments += self.is_lost
            self.delay = self.frames if self.delay is None else self.delay
            self.tracks[track] += 1
            self.last_track, self.is_lost = track, False
        self.frames += 1


def identity_scores(frames: Iterable[tuple[Segmentation, Segmentation]]) -> IdentityScores:
    """Return how well objects were followed through a video.

    On each frame tracks and objects are matched one-to-one, by the largest sum of IoUs of .5 and above. Frames that an
    object is not there on count neither for it nor against.

    Args:
        frames: of each frame the ground truth and what was found, under their ids; empty masks are not there.
    """
    objects: dict[int, _Followed] = {}
    for truth, found in frames:
        ious = mask_ious(truth.run_lengths, found.run_lengths)
        gains = np.where(ious >= MATCH, ious, 0.0)
        pairs = zip(*(places.tolist() for places in best_assignment(gains)), strict=True)
        track_of = {place: found.object_ids[other] for place, other in pairs if gains[place, other]}
        for place in np.flatnonzero(truth.areas).tolist():
            objects.setdefault(truth.object_ids[place], _Followed()).see(track_of.get(place))
    delays = [each.delay for each in objects.values()]
    return IdentityScores(
        objects=len(objects),
        object_frames=sum(each.frames for each in objects.values()),
        switches=sum(each.switches for each in objects.values()),
        fragments=sum(each.fragments for each in objects.values()),
        covered_frames=sum(max(each.tracks.values(), default=0) for each in objects.values()),
        delays=tuple(delay for delay in delays if delay is not None),
        missed=delays.count(None),
    )
