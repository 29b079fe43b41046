"""Everything in a video: found, followed, and reported under ids that stay."""

import os
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any, Protocol, Self

import numpy as np

from masklet.automask.association import associated
from masklet.automask.discovery import DiscoveryState
from masklet.automask.found_masks import prepared_masks, roomy
from masklet.automask.held_frames import HeldFrame
from masklet.automask.object_records import ObjectRecord
from masklet.automask.policy import EverythingPolicy
from masklet.automask.saved_discovery import state_from_json, state_to_json
from masklet.automask.scene_cuts import Histogram, colour_histogram, difference
from masklet.automask.tracks import Track
from masklet.errors import DamagedSessionError, InvalidInputError
from masklet.masks.overlap import covered_share
from masklet.masks.segmentation import Segmentation
from masklet.predictors.image_segmenter import EncodedImage
from masklet.predictors.tracked_video import NumberedSegmentation, TrackedVideo
from masklet.tracking.saved_session import SavedSession, commit_session, damage_named, session_folder

EVERYTHING = "everything"  # beside "session" in `session.json`
MOST_PROMPTS = 2
"""Of an object: the mask it was found by, and the last one that refreshed it."""


class MaskFinder(Protocol):
    """What finds all masks of an encoded frame: an `AutomaticMaskGenerator`."""

    def generate_encoded(self, encoded: EncodedImage, *, known: Segmentation | None = None) -> Segmentation:
        """Return the masks of points outside the known ones."""


class EverythingInVideo:
    """All objects of one video or stream: iterate over it, or `push` the frames of a stream.

    Args:
        tracked: the video, without objects.
        finder: finds masks on its frames.
        policy: when it is searched, and what becomes of the masks found; resolved.
        lookback: whether an object is also reported on the frames before its discovery.
        images: the frames of a stream, which iterating takes them from.
        state: what was known when it was saved; None: it begins.

    Example:
        >>> from masklet import EverythingPolicy, VideoTracker
        >>> policy = EverythingPolicy(points_per_side=4, max_objects=5)
        >>> everything = VideoTracker.from_pretrained().everything("assets/juggle.mp4", policy)
        >>> frame, found = next(iter(everything))
        >>> frame, found.size
        (0, (270, 480))
    """

    def __init__(
        self,
        tracked: TrackedVideo,
        finder: MaskFinder,
        policy: EverythingPolicy,
        *,
        lookback: bool = False,
        images: Iterator[Any] | None = None,
        state: DiscoveryState | None = None,
    ) -> None:
        if lookback and tracked.session.is_stream:
            raise InvalidInputError("There is no way back in a stream; lookback is for videos.")
        self.tracked, self.policy, self.lookback = tracked, policy, lookback
        self.state = DiscoveryState() if state is None else state
        self._finder, self._images = finder, images

    @property
    def objects(self) -> tuple[ObjectRecord, ...]:
        """The table of all objects that were reported so far, by id."""
        return self.state.table.records()

    @property
    def refused(self) -> int:
        """How many masks found were left out because there were `max_objects` already."""
        return self.state.refused

    def __iter__(self) -> Iterator[NumberedSegmentation]:
        """Yield each frame's number and its objects, those that are there, in order; continue after a break."""
        if self._images is not None:
            for image in self._images:
                yield self.push(image)
            return
        if self.tracked.session.is_stream:
            raise InvalidInputError("The frames of this stream are given to push(...).")
        yield from self._reported()
        while self.state.next_frame < len(self.tracked):
            self._advance(None)
            yield from self._reported()
        yield from self._reported(is_last=True)

    def push(self, image: Any) -> NumberedSegmentation:
        """Take the next frame of a stream; return its number and its objects.

        Raises:
            InvalidInputError: as `TrackedVideo.push`.
        """
        self._advance(image)
        return self.state.report(self._size)

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write everything but the frames into a folder, for `VideoTracker.resume_everything`; between two frames."""
        with session_folder(folder) as writer:
            commit_session(writer, self.tracked.writer(writer).write(), **self.described())

    def described(self) -> dict[str, Any]:
        """Return as plain JSON what stands beside the session's own description."""
        state = state_to_json(self.state)
        return {EVERYTHING: {"policy": self.policy.to_json(), "lookback": self.lookback, "state": state}}

    @classmethod
    def resumed(
        cls,
        saved: SavedSession,
        tracked: TrackedVideo,
        finder_of: Callable[[EverythingPolicy], MaskFinder],
        images: Iterator[Any] | None = None,
    ) -> Self:
        """Return what was saved with a session, which `tracked` continues.

        Args:
            saved: what was saved.
            tracked: the video, with the session's objects.
            finder_of: returns what finds masks by a policy.
            images: the further frames of a stream.

        Raises:
            DamagedSessionError: if nothing of the kind was saved there, or it was changed.
        """
        described = saved.content.get(EVERYTHING)
        if described is None:
            raise DamagedSessionError(f"{saved.folder} holds a session of prompted objects; use resume(...).")
        height, width = tracked.session.video_height, tracked.session.video_width
        with damage_named(saved.folder):
            policy = EverythingPolicy.from_json(described["policy"])
            # Of a stream that has not begun the size is not known, and there are no masks.
            state = state_from_json(described["state"], (height or 1, width or 1))
            if (known := set(tracked.object_ids)) != set(state.tracks):
                raise InvalidInputError(f"its objects {sorted(known)} are not those that are followed.")
            lookback = described["lookback"] is True
        return cls(tracked, finder_of(policy), policy, lookback=lookback, images=images, state=state)

    @property
    def _size(self) -> tuple[int, int]:
        height, width = self.tracked.session.video_height, self.tracked.session.video_width
        assert height is not None  # once there was a frame
        assert width is not None
        return height, width

    def _reported(self, *, is_last: bool = False) -> Iterator[NumberedSegmentation]:
        state = self.state
        while state.held and (is_last or not self.lookback or state.is_reportable()):
            yield state.report(self._size)

    def _advance(self, image: Any) -> None:
        """Do the next frame: of a stream `image`."""
        state, policy, frame = self.state, self.policy, self.state.next_frame
        followed = self._follow(frame, image)
        present = followed.taken(np.flatnonzero(followed.areas >= policy.least_area(followed.size)))
        colours = colour_histogram(self.tracked.session.get_frame(frame))
        is_cut = self._is_cut(colours) or state.is_upset(frame, present.object_ids)
        named: list[Track] = []
        if is_cut:
            state.cut(policy)
        else:
            named = state.look(frame, present, policy)
            present = _of(present, [number for number in present.object_ids if number in state.tracks])
        self._free_ended()
        is_new = is_cut or state.last_discovery is None
        if is_new or state.is_due(frame, 1 - covered_share(present.run_lengths, present.size), policy):
            present, found = self._discover(frame, present, is_scene_new=is_new)
            named += found
        self._hold(frame, present)
        if self.lookback:
            self._look_back(named)
        state.next_frame, state.histogram = frame + 1, colours

    def _follow(self, frame: int, image: Any) -> Segmentation:
        """Return the masks of the tracks that are followed on a frame, under their numbers."""
        numbers = self.state.followed()
        if self.tracked.session.is_stream:
            return self.tracked.push(image, objects=numbers)[1]
        if not numbers:
            return Segmentation(np.zeros((0, *self._size), dtype=bool), np.zeros(0), [])
        return next(self.tracked.track(frames=range(frame, frame + 1), objects=numbers))[1]

    def _is_cut(self, colours: Histogram) -> bool:
        """Return whether the colours of a frame differ from those of the frame before as they do at scene cuts."""
        before = self.state.histogram
        return before is not None and self.policy.cut < 1 and difference(before, colours) > self.policy.cut

    def _free_ended(self) -> None:
        """Free prompts and memories of the tracks that are no more."""
        for number in self.tracked.object_ids:
            if number not in self.state.tracks:
                self.tracked.remove(number)

    def _discover(self, frame: int, present: Segmentation, *, is_scene_new: bool) -> tuple[Segmentation, list[Track]]:
        """Search a frame; return the masks of all tracks that are there then, and the tracks that are confirmed."""
        state, policy = self.state, self.policy
        watched = self._with_frozen(frame, present)
        known = None if is_scene_new else present
        found = prepared_masks(self._finder.generate_encoded(self.tracked.encoded(frame), known=known), policy)
        kinds = associated(found, watched.run_lengths, policy)
        refreshed = [
            number
            for place, other in kinds.matches
            if self._recognised(
                frame, number := watched.object_ids[other], found.taken([place]), watched.taken([other])
            )
        ]
        for number in state.frozen():
            self.tracked.session.objects([number])[0].bank.remove(frame)  # what was tracked there was not the object
        hopeful = [place for place in kinds.new if not state.is_hopeless(found.run_lengths[place], policy)]
        new = roomy(found.taken(hopeful), policy.budget - len(state.followed()))
        state.refused += len(hopeful) - len(new)
        numbers, named = state.begin(frame, new.run_lengths, policy, is_scene_new=is_scene_new)
        for place, number in enumerate(numbers):
            self.tracked.add(number, frame, mask=new.mask(place))
        self._free_ended()
        there = [number for number in watched.object_ids if number in state.there(frame) and number not in refreshed]
        present = _of(watched, there)
        if prompted := [number for number in (*refreshed, *numbers) if number in state.tracks]:
            present = _together(present, self.tracked.segment(frame, objects=prompted))
        state.discoveries, state.last_discovery = state.discoveries + 1, frame
        state.uncovered = 1 - covered_share(present.run_lengths, present.size)
        return present, named

    def _with_frozen(self, frame: int, present: Segmentation) -> Segmentation:
        """Return the masks with those of tracks that a scene cut took away, looked for on this frame."""
        looked_for = [number for number in self.state.frozen() if number not in present.object_ids]
        if not looked_for:
            return present
        seen = self.tracked.segment(frame, objects=looked_for)
        return _together(present, seen.taken(np.flatnonzero(seen.areas >= self.policy.least_area(seen.size))))

    def _recognised(self, frame: int, number: int, found: Segmentation, tracked: Segmentation) -> bool:
        """Take a mask found for that of a track; return whether it became a new prompt of it."""
        track = self.state.tracks[number]
        self.state.tracks[number] = track.seen(frame, tracked.run_lengths[0])
        is_worse = tracked.scores[0] < self.policy.refresh < found.scores[0]
        if not is_worse or track.is_candidate:
            return False
        self.tracked.add(number, frame, mask=found.mask(0))
        prompted = sorted(self.tracked.session.objects([number])[0].prompts)
        for earlier in prompted[1 : 1 - MOST_PROMPTS]:
            self.tracked.clear(number, earlier)
        return True

    def _hold(self, frame: int, present: Segmentation) -> None:
        """Keep the masks of a frame to be reported: confirmed tracks first, candidates where these leave room."""
        names, is_flat = self.state.names, self.policy.layers == "flat"
        order = [[number for number in present.object_ids if (number in names) is wanted] for wanted in (True, False)]
        held = HeldFrame(frame)
        for numbers in order:
            held = held.with_masks(_of(present, numbers), is_flat=is_flat)
        self.state.held.append(held)

    def _look_back(self, named: Sequence[Track]) -> None:
        """Follow tracks that were just confirmed from where they were found back to the discovery before that."""
        held = {each.frame: place for place, each in enumerate(self.state.held)}
        for frames, tracks in groupby(named, key=lambda track: range(track.searched_from, track.found_on)):
            if not frames:
                continue
            numbers = [track.number for track in tracks]
            for frame, masks in self.tracked.track("backward", frames, objects=numbers):
                there = masks.taken(np.flatnonzero(masks.areas >= self.policy.least_area(masks.size)))
                if not len(there):
                    break
                place = held[frame]
                self.state.held[place] = self.state.held[place].with_masks(there, is_flat=self.policy.layers == "flat")


def _of(segmentation: Segmentation, numbers: Sequence[int]) -> Segmentation:
    """Return the masks of these objects, in that order."""
    return segmentation.taken([segmentation.object_ids.index(number) for number in numbers])


def _together(first: Segmentation, second: Segmentation) -> Segmentation:
    """Return the masks of both; of none, there are no low-resolution logits that would fit to others."""
    return Segmentation.joined([each for each in (first, second) if len(each)] or [first])
