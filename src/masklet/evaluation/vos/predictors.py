"""What the evaluation asks of anything that tracks objects through a video, and the model behind that interface."""

from collections.abc import Iterator, Mapping
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from masklet.errors import InvalidInputError
from masklet.masks.geometry import Mask
from masklet.masks.segmentation import Segmentation
from masklet.media.label_maps import LabelMap
from masklet.predictors.tracked_video import TrackedVideo
from masklet.predictors.video_tracker import VideoTracker

ObjectMasks = Mapping[int, Mask]
"""The masks (bool [H, W]) of the objects on one frame, by their ids; one that is left out is not visible."""


class VideoFrames(Protocol):
    """The frames of a video, each read when it is asked for."""

    def __len__(self) -> int:
        """Return the number of frames."""

    def __getitem__(self, index: int) -> npt.NDArray[np.uint8]:
        """Return frame `index` as RGB, uint8 [H, W, 3]."""


class VideoPredictor(Protocol):
    """Tracks objects through a video from their masks where they first appear (semi-supervised, as DAVIS calls it)."""

    @property
    def name(self) -> str:
        """What the row of the results is called."""

    def track(
        self, frames: VideoFrames, prompts: Mapping[int, ObjectMasks], *, may_overlap: bool
    ) -> Iterator[ObjectMasks]:
        """Yield the masks of every frame in turn, the first one included.

        Args:
            frames: the video.
            prompts: by frame, the masks of the objects that appear there; nothing is known of them before.
            may_overlap: whether a pixel can belong to several objects; otherwise the masks of a frame are disjoint,
                and so are those of `prompts`.
        """


class TrackerPredictor:
    """A tracker under the name of its row in the results."""

    def __init__(self, tracker: VideoTracker, name: str = "masklet") -> None:
        self.name = name
        self._tracker = tracker

    @property
    def fingerprint(self) -> str:
        """A hash of the weights."""
        return self._tracker.runtime.fingerprint


class VideoModelPredictor(TrackerPredictor):
    """Evaluate a tracker: the first mask of each object is its mask prompt, all objects step together.

    With `zoom` small objects are followed in enlarged views (`VideoTracker.open`).
    """

    def __init__(self, tracker: VideoTracker, name: str = "masklet", *, zoom: bool = False) -> None:
        super().__init__(tracker, name)
        self._zoom = zoom

    def track(
        self, frames: VideoFrames, prompts: Mapping[int, ObjectMasks], *, may_overlap: bool
    ) -> Iterator[ObjectMasks]:
        """Yield the masks of every frame; on frames of `prompts`, these masks themselves are among them."""
        if not prompts:
            raise InvalidInputError("The annotations show no object to track.")
        video = self._tracker.open(frames, zoom=self._zoom)
        first = min(prompts)
        _add(video, first, prompts[first])
        tracked = video.track(frames=range(first, len(frames)))
        yield from ({} for _ in range(first))
        for frame in range(first, len(frames)):
            given = prompts.get(frame, {})
            if frame > first:
                _add(video, frame, given)
            _, segmentation = next(tracked)
            if may_overlap:
                predicted = dict(zip(segmentation.object_ids, segmentation.masks, strict=True))
            else:
                predicted = _disjoint(segmentation, given)
            yield predicted | dict(given)


def by_highest_logit(segmentation: Segmentation) -> LabelMap:
    """Return the object ids [H, W] of the masks; where several overlap, that of the highest logit there.

    They are uint8, or uint16 where an id is above 255.
    Scores rank masks as a whole; benchmarks compare pixel by pixel.
    """
    if segmentation.low_resolution_logits is None:
        raise InvalidInputError("Masks without logits have no order of depth.")
    ids = segmentation.object_ids
    labels = np.zeros(segmentation.size, dtype=np.min_scalar_type(max(ids)))
    highest = np.full(segmentation.size, -np.inf, dtype=segmentation.low_resolution_logits.dtype)
    for place, (object_id, logits) in enumerate(zip(ids, segmentation.low_resolution_logits, strict=True)):
        enlarged = cv2.resize(logits, segmentation.size[::-1], interpolation=cv2.INTER_LINEAR)
        is_won = segmentation.mask(place) & (enlarged > highest)
        labels[is_won], highest[is_won] = object_id, enlarged[is_won]
    return labels


def _disjoint(segmentation: Segmentation, given: ObjectMasks) -> dict[int, Mask]:
    """Return the masks of the objects, each pixel to one of them; what is known to be another's is nobody's."""
    labels = by_highest_logit(segmentation)
    for mask in given.values():
        labels[mask] = 0
    return {object_id: labels == object_id for object_id in segmentation.object_ids}


def _add(video: TrackedVideo, frame: int, masks: ObjectMasks) -> None:
    for object_id, mask in masks.items():
        video.add(object_id, frame, mask=mask)
