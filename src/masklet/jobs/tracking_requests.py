"""What is asked for of a video, by prompts or everything, and the job that it becomes."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from masklet.automask.policy import EverythingPolicy
from masklet.errors import InvalidInputError
from masklet.jobs.everything_job import EverythingJob
from masklet.jobs.prompted_frames import add_prompts
from masklet.jobs.run import Ending
from masklet.jobs.tracking_job import TrackingJob
from masklet.jobs.tracking_journal import SavedTracking, SavedWork
from masklet.media.prompt_entries import Place
from masklet.media.recorded_masks import RecordedMasks
from masklet.media.video_reader import VideoReader
from masklet.predictors.everything_in_video import EverythingInVideo
from masklet.predictors.video_tracker import VideoTracker
from masklet.prompts.prompt import Prompt
from masklet.tracking.frame_order import TrackingTask


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


@dataclass(frozen=True)
class PromptedRequest:
    """What is asked for by prompts.

    Attributes:
        prompts: by frame and object; new ones, if a session is resumed.
        task: the frames and the direction.
        saved: what is resumed.
        zoom: whether small objects are followed in enlarged views.
    """

    prompts: Mapping[Place, Prompt]
    task: TrackingTask
    saved: SavedTracking | None
    zoom: bool = False

    @property
    def object_ids(self) -> list[int]:
        """The objects that have prompts, once a prompt."""
        return [object_id for _, object_id in self.prompts]

    def begin(self, tracker: VideoTracker, video: VideoReader, recorded: RecordedMasks) -> Work:
        """Open the video, or resume what was saved, and add the prompts; InvalidInputError if there are none."""
        job = TrackingJob.begin(tracker, video, recorded, self.saved, **({"zoom": True} if self.zoom else {}))
        add_prompts(job.tracked, self.prompts)
        if not job.tracked.prompted_frames:
            raise InvalidInputError("The session has no prompts; give --point, --box or --mask.")
        corrected = {frame for frame, _ in self.prompts}
        return Work(job, partial(job.run, self.task, corrected=corrected))


@dataclass(frozen=True)
class EverythingRequest:
    """What is asked for: by which policy everything is found, or the session that is resumed.

    Attributes:
        policy: when to search for objects, and what becomes of them.
        looks_back: whether objects are also reported on the frames before their discovery.
        saved: what is resumed; it has a policy of its own.
        zoom: whether small objects are followed in enlarged views.
    """

    policy: EverythingPolicy
    looks_back: bool
    saved: SavedTracking | None
    zoom: bool = False

    @property
    def object_ids(self) -> tuple[int, ...]:
        """None: objects are numbered as they are found."""
        return ()

    def begin(self, tracker: VideoTracker, video: VideoReader, recorded: RecordedMasks) -> Work:
        """Open the video, or resume what was saved."""
        if self.saved is not None:
            job = EverythingJob.resume(tracker, video, recorded, self.saved)
        else:
            options: dict[str, Any] = {"zoom": True} if self.zoom else {}
            everything = tracker.everything(video, self.policy, lookback=self.looks_back, **options)
            job = EverythingJob(everything, recorded)
        return Work(job, job.run, job.everything)
