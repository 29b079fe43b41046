"""What `masklet track` is asked for, whichever way objects are found, and the job that it becomes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from masklet.jobs.run import Ending
    from masklet.jobs.tracking_journal import SavedWork
    from masklet.media.recorded_masks import RecordedMasks
    from masklet.media.video_reader import VideoReader
    from masklet.predictors.everything_in_video import EverythingInVideo
    from masklet.predictors.video_tracker import VideoTracker


@dataclass(frozen=True)
class Work:
    """A job that has been begun or resumed.

    Attributes:
        job: what is saved of it.
        run: does it, with a journal, `should_stop` and `on_frame`.
        everything: where everything is followed, the video and its objects.
    """

    job: SavedWork
    run: Callable[..., Ending]
    everything: EverythingInVideo | None = None


class TrackingRequest(Protocol):
    """What is asked for: objects by prompts, or everything."""

    @property
    def object_ids(self) -> Iterable[int]:
        """The objects that are known beforehand."""
        ...

    def begin(self, tracker: VideoTracker, video: VideoReader, recorded: RecordedMasks) -> Work:
        """Open the video, or resume what was saved; its masks go into `recorded`."""
        ...
