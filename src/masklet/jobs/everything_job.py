"""Finding and following everything in a video as a job: saved as it goes, ended on request, resumed where it was.

As `tracking_job`, it has no signals, progress bars or options.
"""

from collections.abc import Callable, Mapping
from typing import Any, Self

from masklet.jobs.run import Ending
from masklet.jobs.tracking_journal import SavedTracking, TrackingJournal
from masklet.media.recorded_masks import RecordedMasks
from masklet.predictors.everything_in_video import EverythingInVideo
from masklet.predictors.tracked_video import TrackedVideo
from masklet.predictors.video_tracker import VideoTracker
from masklet.tracking.frame_order import Direction, TrackingTask


class EverythingJob:
    """A video in which everything is followed, and the masks reported so far.

    Attributes:
        everything: the video and its objects.
        tracked: the video with the objects that are followed.
        recorded: the masks reported so far.
        task: all frames, forward.
    """

    def __init__(self, everything: EverythingInVideo, recorded: RecordedMasks) -> None:
        self.everything, self.recorded = everything, recorded
        self.tracked: TrackedVideo = everything.tracked
        self.task: TrackingTask | None = TrackingTask(range(len(everything.tracked)), Direction.FORWARD)

    @classmethod
    def resume(
        cls, tracker: VideoTracker, video: Any, recorded: RecordedMasks, saved: SavedTracking, **options: Any
    ) -> Self:
        """Resume what was saved; its masks go into `recorded`. `options` are those of `resume_everything`.

        Raises:
            DamagedSessionError: if it was not everything that was followed there, or its files were changed.
            InvalidInputError: for another model or another video.
        """
        everything = tracker.resume_everything(saved.session, video, **options)
        saved.fill(recorded, len(video))
        return cls(everything, recorded)

    def run(
        self,
        journal: TrackingJournal,
        *,
        should_stop: Callable[[], bool] = lambda: False,
        on_frame: Callable[[int, int, int], None] = lambda done, total, objects: None,
    ) -> Ending:
        """Do all frames that are not reported.

        Args:
            journal: where the session is saved as it goes.
            should_stop: asked after every frame whether to end here.
            on_frame: called before the first frame and after each with the number of frames reported, of all, and of
                the objects there.

        Raises:
            OSError, ValueError: for a frame that cannot be used, if there are no masks at all; otherwise the error is
                in the `Ending`.
        """
        total = len(self.everything.tracked)
        on_frame(len(self.recorded), total, 0)
        try:
            for frame, segmentation in self.everything:
                self.recorded.record(frame, segmentation)
                on_frame(len(self.recorded), total, len(segmentation))
                if len(self.recorded) < total and should_stop():
                    return Ending(is_finished=False)
                journal.save_if_due(self)
        except (OSError, ValueError) as error:
            if not len(self.recorded):
                raise
            return Ending(is_finished=False, error=error)
        return Ending(is_finished=True)

    @property
    def open_frames(self) -> list[range]:
        """The frames that are still to be reported."""
        done, total = len(self.recorded), len(self.everything.tracked)
        return [range(done, total)] if done < total else []

    def described(self) -> Mapping[str, Any]:
        """Return what stands beside the session: the policy, and the state of discovery."""
        return self.everything.described()
