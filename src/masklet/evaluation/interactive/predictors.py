"""What the interactive evaluation asks of anything that tracks by clicks, and the model behind that interface."""

from collections.abc import Iterator
from typing import Protocol

from masklet.evaluation.vos.predictors import TrackerPredictor, VideoFrames
from masklet.masks.geometry import Mask
from masklet.predictors.tracked_video import TrackedVideo
from masklet.prompts.simulated_annotator import Click

OBJECT = 1
CACHED_FEATURES = 2**31
"""How many bytes of image features are kept for the next pass through a video."""


class ClickedVideo(Protocol):
    """One object in an open video."""

    def click(self, frame: int, click: Click) -> Mask:
        """Add a click to those on a frame, and return the object's mask (bool [H, W]) there."""

    def track(self, first: int) -> Iterator[tuple[int, Mask]]:
        """Yield the numbers and the object's masks (bool [H, W]) of frame `first` and all that follow."""


class InteractivePredictor(Protocol):
    """Tracks one object after the other by clicks."""

    @property
    def name(self) -> str:
        """What the row of the results is called."""

    def open(self, frames: VideoFrames) -> ClickedVideo:
        """Open a video for one object that has no prompts yet."""


class InteractiveModelPredictor(TrackerPredictor):
    """Evaluate a tracker: each object has a session of its own, in which all clicks stay."""

    def open(self, frames: VideoFrames) -> ClickedVideo:
        """Open a session, which keeps the features of all frames if they take less than 2 GiB."""
        of_a_frame = 16 * 2**20 * (self._tracker.runtime.config.image_size / 1024) ** 2
        fits = of_a_frame * len(frames) <= CACHED_FEATURES
        return _ClickedSession(self._tracker.open(frames, max_vision_features_cache_size=len(frames) if fits else 1))


class _ClickedSession:
    def __init__(self, video: TrackedVideo) -> None:
        self._video = video

    def click(self, frame: int, click: Click) -> Mask:
        self._video.add(OBJECT, frame, points=[(click.x, click.y)], labels=[click.label], keep_earlier=True)
        return self._video.segment(frame).mask(0)

    def track(self, first: int) -> Iterator[tuple[int, Mask]]:
        for frame, segmentation in self._video.track(frames=range(first, len(self._video))):
            yield frame, segmentation.mask(0)
