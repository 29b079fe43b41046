"""Classical ways to follow objects through a video, which the model has to beat."""

from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from masklet.evaluation.video_predictors import VideoFrames
from masklet.media.label_maps import LabelMap


class RepeatedFirstMask:
    """The masks of the first frame in every frame: what the prompt alone says, without looking at the video."""

    name = "repeat"

    def track(self, frames: VideoFrames, first_labels: LabelMap) -> Iterator[LabelMap]:
        """Yield `first_labels` (uint8 [H, W]) for every frame."""
        return repeat(first_labels, len(frames))


class WarpedFirstMask:
    """The masks of the first frame, carried from frame to frame by dense optical flow (Kroeger et al., 2016).

    For each frame the flow back to the one before is OpenCV's DIS with its preset "medium", on grey pictures. Masks
    are carried as coverages between 0 and 1, read bilinearly at where each pixel came from (outside the picture there
    is nothing); a pixel belongs to the object that covers more than half of it.
    """

    name = "flow"

    def track(self, frames: VideoFrames, first_labels: LabelMap) -> Iterator[LabelMap]:
        """Yield the warped label map (uint8 [H, W]) of every frame."""
        optical_flow: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        pixels = np.dstack(np.meshgrid(*(np.arange(size, dtype=np.float32) for size in first_labels.shape[::-1])))
        object_ids = [each for each in np.unique(first_labels).tolist() if each]
        coverages = [(first_labels == each).astype(np.float32) for each in object_ids]
        yield first_labels
        earlier = _grey(frames[0])
        for index in range(1, len(frames)):
            frame = _grey(frames[index])
            origins = pixels + optical_flow.calc(frame, earlier, None)
            coverages = [cv2.remap(each, origins[..., 0], origins[..., 1], cv2.INTER_LINEAR) for each in coverages]
            yield _labels(coverages, object_ids, first_labels.shape)
            earlier = frame


def _grey(frame: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), dtype=np.uint8)


def _labels(coverages: Sequence[npt.NDArray[Any]], object_ids: list[int], shape: tuple[int, ...]) -> LabelMap:
    """The id of the object that covers more than half of each pixel: only one can."""
    labels = np.zeros(shape, dtype=np.uint8)
    for coverage, object_id in zip(coverages, object_ids, strict=True):
        labels[coverage > 0.5] = object_id
    return labels
