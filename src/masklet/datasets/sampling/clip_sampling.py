"""Frames and objects of a video that make a clip."""

from dataclasses import dataclass

import numpy as np

from masklet.datasets.annotated import AnnotatedVideo
from masklet.datasets.sampling.epoch_order import NothingVisibleError
from masklet.datasets.scenes.clips import MOST_OBJECTS
from masklet.datasets.scenes.generator import SMALLEST_AREA
from masklet.errors import InvalidInputError


@dataclass(frozen=True)
class ClipSampling:
    """Sampling of clips from videos: every n-th annotated frame.

    n is one of `strides` at which the clip fits into the video; `reversal` is the probability of playing it backwards
    (the SAM 2 paper's 0.5). Frames without ground truth are never taken, so a stride of 1 is 4 frames in SA-V and 5 in
    YouTube-VOS.
    """

    strides: tuple[int, ...] = (1, 2, 4)
    reversal: float = 0.5

    def __post_init__(self) -> None:
        if not self.strides or min(self.strides) < 1:
            raise InvalidInputError(f"strides={self.strides} of clips; give at least one, each at least 1.")
        if not 0 <= self.reversal <= 1:
            raise InvalidInputError(f"reversal={self.reversal} of clips; a probability is 0..1.")


@dataclass(frozen=True)
class ChosenFrames:
    """The frames of a clip in their order, and the objects (at most 12) that are visible on the first of them."""

    frames: tuple[int, ...]
    object_ids: tuple[int, ...]


def choose_frames(rng: np.random.Generator, video: AnnotatedVideo, length: int, sampling: ClipSampling) -> ChosenFrames:
    """Choose a clip of `length` frames that begins where at least one object is visible, 24 pixels or more of it.

    Starts from which the clip fits into the video are tried first. From others, and in videos with fewer annotated
    frames than the clip, it turns round at the end and comes back; a video of one frame is repeated.
    InvalidInputError if no frame is annotated, `NothingVisibleError` if no object is ever visible.
    """
    count = len(video.annotated_frames)
    if not count:
        raise InvalidInputError(f"the video {video.name!r} has no annotated frame.")
    fitting = [stride for stride in sampling.strides if stride * (length - 1) < count]
    step = int(rng.choice(fitting or [min(sampling.strides)])) * (-1 if rng.random() < sampling.reversal else 1)
    starts = rng.permutation(count)
    ends = starts + step * (length - 1)
    is_outside = (ends < 0) | (ends >= count)
    for start in starts[np.argsort(is_outside, kind="stable")]:
        masks = video.masks(video.annotated_frames[start])
        visible = [each for each, mask in masks.items() if np.count_nonzero(mask) >= SMALLEST_AREA]
        if visible:
            indices = [back_and_forth(int(start) + step * number, count) for number in range(length)]
            chosen = rng.permutation(visible)[:MOST_OBJECTS]
            return ChosenFrames(tuple(video.annotated_frames[index] for index in indices), tuple(map(int, chosen)))
    raise NothingVisibleError


def back_and_forth(index: int, count: int) -> int:
    """Reflect an index at both ends of 0..count - 1."""
    period = max(2 * (count - 1), 1)
    return min(index % period, -index % period)
