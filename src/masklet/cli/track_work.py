"""What `masklet track` does of a video, whichever way its objects are found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from masklet.errors import InvalidInputError

if TYPE_CHECKING:
    from masklet.jobs.run import Ending
    from masklet.jobs.tracking_journal import SavedTracking, SavedWork
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


class Asked(Protocol):
    """What is asked for."""

    def begin(self, tracker: VideoTracker, video: VideoReader, recorded: RecordedMasks) -> Work:
        """Open the video, or resume what was saved; its masks go into `recorded`."""
        ...


def check_zoom(zoom: bool, saved: SavedTracking | None) -> None:
    """Raise InvalidInputError for views in a session that began without."""
    if zoom and saved is not None and not saved.session.description.zoom:
        raise InvalidInputError(
            f"The session in {saved.session.folder} began without --zoom and goes on without; track the video anew to "
            "zoom in."
        )
