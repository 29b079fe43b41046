"""The state of finding and following everything in a video: what becomes of each track from frame to frame."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from masklet.automask.association import Pair, duplicates, streaks
from masklet.automask.held_frames import HeldFrame
from masklet.automask.object_records import Ended, ObjectTable
from masklet.automask.policy import EverythingPolicy
from masklet.automask.scene_cuts import Histogram
from masklet.automask.tracks import Track, revived_by
from masklet.masks.run_length import RunLength
from masklet.masks.segmentation import Segmentation
from masklet.masks.suppression import mask_ious

FAILURES = 2
"""So many candidates may vanish at a place before it is left alone for a while."""
UPSET_OBJECTS, UPSET_FRAMES = 3, 2
"""More than half of at least so many objects lost within so many frames are a scene cut."""


@dataclass
class DiscoveryState:
    """What finding and following everything knows between two frames; plain values (`saved_discovery`).

    Attributes:
        next_frame: the one to be done next.
        tracks: those that are followed or looked for, by number.
        next_number: of the next track.
        next_id: of the next object that is confirmed.
        names: the ids of tracks that were confirmed, by number, as long as frames held need them.
        last_discovery: the frame of the last discovery; None before the first.
        uncovered: the share of the frame that was in no mask after it.
        histogram: of the colours of the last frame.
        streaks: on how many frames in succession two tracks were duplicates.
        failures: frames and masks of candidates that vanished.
        held: frames that are not reported yet, in order.
        table: the records of the objects.
        discoveries: how many there were.
        refused: how many new masks there was no room for.
        vanished: how many candidates were not confirmed.
    """

    next_frame: int = 0
    tracks: dict[int, Track] = field(default_factory=dict)
    next_number: int = 1
    next_id: int = 1
    names: dict[int, int] = field(default_factory=dict)
    last_discovery: int | None = None
    uncovered: float = 1.0
    histogram: Histogram | None = None
    streaks: dict[Pair, int] = field(default_factory=dict)
    failures: list[tuple[int, RunLength]] = field(default_factory=list)
    held: list[HeldFrame] = field(default_factory=list)
    table: ObjectTable = field(default_factory=ObjectTable)
    discoveries: int = 0
    refused: int = 0
    vanished: int = 0

    def followed(self) -> list[int]:
        """Return the numbers of the tracks that are followed from frame to frame."""
        return [number for number, track in self.tracks.items() if not track.is_frozen]

    def frozen(self) -> list[int]:
        """Return the numbers of the tracks that a scene cut took away."""
        return [number for number, track in self.tracks.items() if track.is_frozen]

    def there(self, frame: int) -> list[int]:
        """Return the numbers of the tracks that are there on a frame, the last one done."""
        return [track.number for track in self.tracks.values() if track.is_present(frame) and not track.is_frozen]

    def is_due(self, frame: int, uncovered: float, policy: EverythingPolicy) -> bool:
        """Return whether a frame is to be searched, of which that share is in no mask; scene cuts apart."""
        if self.last_discovery is None or frame - self.last_discovery >= policy.every:
            return True
        return uncovered > self.uncovered + policy.uncovered_rise

    def is_upset(self, frame: int, present: Collection[int]) -> bool:
        """Return whether so many objects are lost at once that it can only be a scene cut."""
        recent = [
            number
            for number, track in self.tracks.items()
            if not track.is_frozen and not track.is_candidate and track.last_frame >= frame - UPSET_FRAMES
        ]
        lost = sum(number not in present for number in recent)
        return len(recent) >= UPSET_OBJECTS and 2 * lost > len(recent)

    def cut(self, policy: EverythingPolicy) -> None:
        """Freeze all tracks, as a new scene begins; candidates go, and the oldest ones that there is no room for."""
        for track in list(self.tracks.values()):
            if track.is_candidate:
                del self.tracks[track.number]
            else:
                self.tracks[track.number] = replace(track, is_frozen=True)
        for track in sorted(self.tracks.values(), key=lambda each: each.last_frame)[: -policy.budget]:
            self._end(track, Ended.RETIRED)
        self.streaks, self.failures = {}, []

    def look(self, frame: int, present: Segmentation, policy: EverythingPolicy) -> list[Track]:
        """Take the masks of the tracks that are there on a frame, and return the candidates that they confirm."""
        for number, mask in zip(present.object_ids, present.run_lengths, strict=True):
            self.tracks[number] = self.tracks[number].seen(frame, mask)
        self._merge(present, policy)
        self._give_up(frame, policy)
        named = [self._named(track, frame, policy) for track in self._candidates() if track.is_confirmed(policy)]
        self.failures = [each for each in self.failures if frame - each[0] <= policy.retire_after]
        return named

    def begin(
        self, frame: int, masks: Sequence[RunLength], policy: EverythingPolicy, *, is_scene_new: bool
    ) -> tuple[list[int], list[Track]]:
        """Begin tracks with masks that were found; return their numbers, and those that are confirmed already.

        In a new scene all are, and none of them was there before.
        """
        searched = None if is_scene_new else self.last_discovery
        numbers = list(range(self.next_number, self.next_number + len(masks)))
        named = []
        for number, mask in zip(numbers, masks, strict=True):
            track = Track(
                number=number,
                found_on=frame,
                searched_from=frame if searched is None else searched + 1,
                last_frame=frame,
                last_mask=mask,
            )
            self.tracks[number] = track
            if is_scene_new or track.is_confirmed(policy):
                named.append(self._named(track, frame, policy))
        self.next_number += len(masks)
        return numbers, named

    def is_hopeless(self, mask: RunLength, policy: EverythingPolicy) -> bool:
        """Return whether candidates vanished again and again where a new mask is."""
        ious = mask_ious([mask], [failed for _, failed in self.failures])
        return int((ious >= policy.match).sum()) >= FAILURES

    def is_reportable(self) -> bool:
        """Return whether the first frame held can be reported: nothing that may still be found reaches back to it.

        A discovery reaches back to the one before it, and masks of its candidates wait for their ids.
        """
        if not self.held or self.last_discovery is None or self.held[0].frame > self.last_discovery:
            return False
        return all(self.held[0].frame < track.searched_from for track in self._candidates())

    def report(self, size: tuple[int, int]) -> tuple[int, Segmentation]:
        """Take the first frame held, under the ids of its objects, and note them in the table."""
        held = self.held.pop(0)
        reported = held.segmentation(self.names, size)
        self.table.report(held.frame, reported)
        needed = {number for each in self.held for number in each.numbers}
        self.names = {number: name for number, name in self.names.items() if number in self.tracks or number in needed}
        return held.frame, reported

    def _candidates(self) -> list[Track]:
        return [track for track in self.tracks.values() if track.is_candidate]

    def _merge(self, present: Segmentation, policy: EverythingPolicy) -> None:
        """Give up tracks whose mask was that of an older one for a while."""
        pairs = [
            (present.object_ids[first], present.object_ids[second])
            for first, second in duplicates(present.run_lengths, policy.duplicate)
        ]
        self.streaks = streaks(pairs, self.streaks)
        for pair, length in self.streaks.items():
            if length >= policy.duplicate_frames and all(number in self.tracks for number in pair):
                older, younger = sorted((self.tracks[number] for number in pair), key=lambda track: track.age)
                self._end(younger, Ended.DUPLICATE, older.object_id)

    def _give_up(self, frame: int, policy: EverythingPolicy) -> None:
        """Give up tracks that were absent for too long."""
        for track in list(self.tracks.values()):
            if track.is_given_up(frame, policy):
                self._end(track, Ended.RETIRED)
                if track.is_candidate:
                    self.vanished += 1
                    self.failures.append((frame, track.last_mask))

    def _named(self, candidate: Track, frame: int, policy: EverythingPolicy) -> Track:
        """Confirm a candidate, under the id of the lost object that it is, or the next one."""
        lost = [track for track in self.tracks.values() if not track.is_present(frame)]
        same = revived_by(candidate, lost, policy)
        if same is not None:
            del self.tracks[same.number]
        return self._name(candidate, None if same is None else same.object_id)

    def _name(self, candidate: Track, object_id: int | None = None) -> Track:
        if object_id is None:
            object_id, self.next_id = self.next_id, self.next_id + 1
        named = replace(candidate, object_id=object_id)
        self.tracks[named.number] = named
        self.names[named.number] = object_id
        return named

    def _end(self, track: Track, ended: Ended, same_as: int | None = None) -> None:
        del self.tracks[track.number]
        if track.object_id is not None:
            self.table.end(track.object_id, ended, same_as)
