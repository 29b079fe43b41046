"""Everything in a video, as a tracker finds and follows it, behind the evaluation's interface."""

from collections.abc import Iterator

from masklet.automask.policy import EverythingPolicy
from masklet.evaluation.vos.predictors import TrackerPredictor, VideoFrames
from masklet.masks.segmentation import Segmentation
from masklet.predictors.video_tracker import VideoTracker


class TrackedEverything(TrackerPredictor):
    """What `VideoTracker.everything` gives of the frames of a video in turn.

    Args:
        tracker: the model.
        policy: when to search for objects, and what becomes of them, or its name; None: the default one.
        name: what the row of the results is called.
        zoom: whether small objects are followed in enlarged views (`VideoTracker.open`).
    """

    def __init__(
        self,
        tracker: VideoTracker,
        policy: EverythingPolicy | str | None = None,
        name: str = "masklet",
        *,
        zoom: bool = False,
    ) -> None:
        super().__init__(tracker, name)
        self._zoom = zoom
        self._policy = EverythingPolicy.of(policy)

    @property
    def fingerprint(self) -> str:
        """A hash of the weights, and the policy."""
        return f"{super().fingerprint} {self._policy}"

    def follow(self, frames: VideoFrames) -> Iterator[Segmentation]:
        """Yield what is found on each frame in turn."""
        for _, found in self._tracker.everything(frames, self._policy, zoom=self._zoom):
            yield found
