"""Tracking as a job: frame by frame, saved as it goes, ended on request, resumed where it was.

It has no signals, progress bars or options: a command line, a server or a thread call the same code.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import groupby
from typing import Any, Self

from masklet.jobs.run import Ending
from masklet.jobs.tracking_journal import SavedTracking, TrackingJournal
from masklet.masks.segmentation import Segmentation
from masklet.media.recorded_masks import RecordedMasks
from masklet.predictors.tracked_video import TrackedVideo
from masklet.predictors.video_tracker import VideoTracker
from masklet.tracking.frame_order import Stretch, TrackingTask, planned


class TrackingJob:
    """A video that is being tracked, the masks found so far, and what is still to be done.

    Attributes:
        tracked: the video with its objects and prompts.
        recorded: the masks found so far.
        task: what was asked for; None before `run`.
    """

    def __init__(self, tracked: TrackedVideo, recorded: RecordedMasks, outdated: Collection[range] = ()) -> None:
        self.tracked, self.recorded = tracked, recorded
        self.task: TrackingTask | None = None
        self._outdated = outdated  # frames whose masks are older than a correction before them
        self._left: list[Stretch] = []

    @classmethod
    def begin(
        cls, tracker: VideoTracker, video: Any, recorded: RecordedMasks, saved: SavedTracking | None, **options: Any
    ) -> Self:
        """Open a video with the options of `VideoTracker.open`, or resume the session that was saved.

        The masks of that go into `recorded`; it keeps its own options.
        """
        if saved is None:
            return cls(tracker.open(video, **options), recorded)
        tracked = tracker.resume(saved.session, video)
        saved.fill(recorded, len(video))
        return cls(tracked, recorded, saved.open_frames)

    def run(
        self,
        task: TrackingTask,
        journal: TrackingJournal,
        *,
        corrected: Collection[int] = (),
        should_stop: Callable[[], bool] = lambda: False,
        on_frame: Callable[[int, int, int], None] = lambda done, total, objects: None,
    ) -> Ending:
        """Track all frames of the task that are not done.

        Args:
            task: the frames and the direction.
            journal: where the session is saved as it goes.
            corrected: frames on which prompts were added since the masks were recorded; from there on frames are done
                again.
            should_stop: asked after every frame whether to end here.
            on_frame: called before the first frame and after each with the number of frames done, of all to be done,
                and of objects.

        Raises:
            InvalidInputError: if there are no prompts.
            OSError, ValueError: for a frame that cannot be used, if there are no masks at all; otherwise the error is
                in the `Ending`.
        """
        done = {frame for frame in self.recorded if not any(frame in each for each in self._outdated)}
        prompted = self.tracked.prompted_frames
        self._left = planned(prompted, task.frames, task.direction, done=done, corrected=corrected)
        self._outdated = _ranges(set(self.recorded) - done - {frame for each in self._left for frame in each.frames})
        self.task, total = task, self._frames_left()
        on_frame(0, total, len(self.tracked.object_ids))
        try:
            for place, stretch in enumerate(self._left):
                for frame, segmentation in self._tracked(stretch):
                    self.recorded.record(frame, segmentation)
                    self._left[place] = stretch.after(frame)
                    left = self._frames_left()
                    on_frame(total - left, total, len(segmentation))
                    if left and should_stop():
                        return Ending(is_finished=False)
                    journal.save_if_due(self)
        except (OSError, ValueError) as error:
            if not len(self.recorded):
                raise
            return Ending(is_finished=False, error=error)
        return Ending(is_finished=True)

    @property
    def open_frames(self) -> list[range]:
        """The frames that are still to be done, or to be done again."""
        return [*(each.frames for each in self._left if each.frames), *self._outdated]

    def described(self) -> Mapping[str, Any]:
        """Return nothing: the session is all there is."""
        return {}

    def _tracked(self, stretch: Stretch) -> Iterable[tuple[int, Segmentation]]:
        return self.tracked.track(stretch.direction.value, stretch.frames) if stretch.frames else ()

    def _frames_left(self) -> int:
        return sum(len(each.frames) for each in self._left)


def _ranges(frames: Collection[int]) -> list[range]:
    """Return the stretches of neighbours that these frames are."""
    runs = groupby(enumerate(sorted(frames)), key=lambda entry: entry[1] - entry[0])
    stretches = [[frame for _, frame in run] for _, run in runs]
    return [range(each[0], each[-1] + 1) for each in stretches]
