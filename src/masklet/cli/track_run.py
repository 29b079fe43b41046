"""The work of `masklet track`: frames are tracked one after the other, and kept so that it can go on another time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Self

from rich.progress import Progress

from masklet.cli.interruption import noticed_interruption
from masklet.cli.track_choices import Direction
from masklet.cli.track_outputs import described
from masklet.cli.track_plan import Stretch, planned
from masklet.cli.track_prompts import PromptOnFrame
from masklet.errors import CheckpointError
from masklet.masks.segmentation import Segmentation
from masklet.media.recorded_masks import RecordedMasks
from masklet.media.video_reader import VideoReader

if TYPE_CHECKING:
    from masklet.video_tracking import TrackedVideo, VideoTracker

_MASKS = "masks.json"  # in the folder of a session


@dataclass(frozen=True)
class TrackingTask:
    """What is asked: prompts (new ones, if a session goes on), the frames wanted, and the direction."""

    prompts: Sequence[PromptOnFrame]
    frames: range
    direction: Direction
    resumed: Path | None = None


@dataclass(frozen=True)
class TrackingRun:
    """A video that is being tracked, and the masks found so far."""

    video: VideoReader
    tracked: TrackedVideo
    recorded: RecordedMasks

    @classmethod
    def begin(cls, tracker: VideoTracker, video: VideoReader, recorded: RecordedMasks, task: TrackingTask) -> Self:
        """Open the video, or take up the session that is to go on, and tell it the prompts."""
        if task.resumed is None:
            tracked = tracker.open(video)
        else:
            if not (task.resumed / _MASKS).is_file():
                raise CheckpointError(f"{task.resumed} holds no {_MASKS}; --resume takes what --save-session wrote.")
            tracked = tracker.resume(task.resumed, video)
            recorded.load(task.resumed / _MASKS)
        for each in task.prompts:
            each.tell(tracked, video.height, video.width)
        return cls(video, tracked, recorded)

    def follow(self, task: TrackingTask, progress: Progress) -> BaseException | None:
        """Track all frames of the task and return None, or track some and return what ended it.

        That is a `KeyboardInterrupt` for Ctrl-C, or the error of a frame that cannot be used; an error is raised if
        there are no masks yet.
        """
        corrected = {each.frame for each in task.prompts}
        prompted = self.tracked.prompted_frames
        plan = planned(prompted, task.frames, task.direction, done=self.recorded, corrected=corrected)
        total, done = sum(len(stretch.frames) for stretch in plan), 0
        bar = progress.add_task("Tracking", total=total, objects=len(self.tracked.object_ids))
        with noticed_interruption() as interruption:
            try:
                for frame, segmentation in chain.from_iterable(map(self._frames, plan)):
                    self.recorded.record(frame, segmentation)
                    done += 1
                    progress.update(bar, completed=done, objects=len(segmentation))
                    if interruption.was_asked_for and done < total:
                        return KeyboardInterrupt()
            except (OSError, ValueError) as error:
                if not len(self.recorded):
                    raise
                return error
        return None

    def save(self, folder: Path) -> None:
        """Keep session and masks in a folder."""
        self.tracked.save(folder)
        self.recorded.save(folder / _MASKS, described(self.video))

    def _frames(self, stretch: Stretch) -> Iterable[tuple[int, Segmentation]]:
        return self.tracked.track(stretch.direction.value, stretch.frames) if stretch.frames else ()
