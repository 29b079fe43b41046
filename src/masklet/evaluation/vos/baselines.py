"""Baselines without learning that track objects through a video: the first mask, and optical flow."""

from collections.abc import Iterator, Mapping
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from masklet.evaluation.vos.predictors import ObjectMasks, VideoFrames
from masklet.masks.geometry import Mask


class RepeatedFirstMask:
    """The first mask of each object on every later frame: a baseline independent of the video."""

    name = "repeat"

    def track(
        self, frames: VideoFrames, prompts: Mapping[int, ObjectMasks], *, may_overlap: bool
    ) -> Iterator[ObjectMasks]:
        """Yield the first masks of the objects that have appeared, for every frame."""
        known: dict[int, Mask] = {}
        for index in range(len(frames)):
            known = known | dict(prompts.get(index, {}))
            yield known if may_overlap else _latest_on_top(known)


class WarpedFirstMask:
    """The first mask of each object, carried from frame to frame by dense optical flow (Kroeger et al., 2016).

    For each frame the flow back to the one before is OpenCV's DIS with its preset "medium", on grey images. Masks
    are carried as coverages between 0 and 1, read bilinearly at where each pixel came from (outside the image there
    is nothing); a pixel belongs to the object that covers more than half of it.
    """

    name = "flow"

    def track(
        self, frames: VideoFrames, prompts: Mapping[int, ObjectMasks], *, may_overlap: bool
    ) -> Iterator[ObjectMasks]:
        """Yield the warped masks of every frame."""
        optical_flow: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        coverages: dict[int, npt.NDArray[Any]] = {}
        earlier = None
        for index in range(len(frames)):
            frame = _grey(frames[index])
            if earlier is not None and coverages:
                origins = _pixels(frame.shape) + optical_flow.calc(frame, earlier, None)
                coverages = {object_id: _warped(each, origins) for object_id, each in coverages.items()}
            coverages |= {object_id: mask.astype(np.float32) for object_id, mask in prompts.get(index, {}).items()}
            masks = {object_id: np.asarray(each > 0.5) for object_id, each in coverages.items()}
            yield masks if may_overlap else _latest_on_top(masks)
            earlier = frame


def _grey(frame: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), dtype=np.uint8)


def _pixels(shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """Return the x and y of every pixel, float32 [H, W, 2]."""
    return np.dstack(np.meshgrid(*(np.arange(size, dtype=np.float32) for size in shape[::-1])))


def _warped(coverage: npt.NDArray[Any], origins: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return cv2.remap(coverage, origins[..., 0], origins[..., 1], cv2.INTER_LINEAR)


def _latest_on_top(masks: ObjectMasks) -> dict[int, Mask]:
    """Return the masks without what objects that appeared later cover."""
    shown: dict[int, Mask] = {}
    for object_id, mask in reversed(list(masks.items())):
        covered = np.any(list(shown.values()), axis=0) if shown else np.zeros_like(mask)
        shown[object_id] = mask & ~covered
    return shown
