"""The model behind the interface of the evaluation on videos."""

from collections.abc import Iterator

import cv2
import numpy as np

from masklet.errors import InvalidInputError
from masklet.evaluation.video_predictors import VideoFrames
from masklet.masks.segmentation import Segmentation
from masklet.media.label_maps import LabelMap
from masklet.video_tracking import VideoTracker


class VideoModelPredictor:
    """Evaluate `tracker`: the masks of the first frame are its mask prompts, all objects step together."""

    def __init__(self, tracker: VideoTracker, name: str = "masklet") -> None:
        self.name = name
        self._tracker = tracker

    def track(self, frames: VideoFrames, first_labels: LabelMap) -> Iterator[LabelMap]:
        """Yield the label map (uint8 [H, W]) of every frame; the first is `first_labels` itself."""
        object_ids = [each for each in np.unique(first_labels).tolist() if each]
        if not object_ids:
            raise InvalidInputError("The first label map shows no object to follow.")
        video = self._tracker.open(frames)
        for object_id in object_ids:
            video.add(object_id, 0, mask=first_labels == object_id)
        for frame, segmentation in video.track():
            yield by_highest_logit(segmentation) if frame else first_labels


def by_highest_logit(segmentation: Segmentation) -> LabelMap:
    """Return the object ids (uint8 [H, W]) of the masks; where several overlap, that of the highest logit there.

    Scores say which mask is better as a whole; a benchmark is won pixel by pixel.
    """
    masks, logits = segmentation.masks, segmentation.low_resolution_logits
    if logits is None:
        raise InvalidInputError("Masks without logits do not say which of them is on top.")
    height, width = masks.shape[1:]
    enlarged = [cv2.resize(each, (width, height), interpolation=cv2.INTER_LINEAR) for each in logits]
    winner = np.where(masks, np.stack(enlarged), -np.inf).argmax(axis=0)
    object_ids = np.array(segmentation.object_ids, dtype=np.uint8)
    return np.where(masks.any(axis=0), object_ids[winner], np.uint8(0))
