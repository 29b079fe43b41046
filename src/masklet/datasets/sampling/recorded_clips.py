"""Recorded videos as endless clips, like those of the procedural world: which frames and objects make a clip."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from masklet.datasets.augmentation import Augmentation, augmented
from masklet.datasets.sampling.epoch_order import EpochOrder, NothingVisibleError, SkippedSample
from masklet.datasets.scenes.clips import MOST_OBJECTS, SMALLEST_REMAINS, Clip
from masklet.datasets.scenes.generator import SMALLEST_AREA
from masklet.datasets.scenes.layers import ByteArray, MaskArray
from masklet.errors import InvalidInputError
from masklet.formats.reading.annotated import AnnotatedVideo, AnnotatedVideos

KIND = "recorded"


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


class RecordedClips:
    """Clips of `size` pixels and `length` frames from annotated videos.

    The same (data, settings, seed, number) gives the same clip. Each video is sampled once an epoch. The objects of a
    clip are visible on its first frame, 1 to 12 of them; masks of SA-V may overlap. A video with a damaged frame or
    annotation in the clip, or where no object is ever visible, is skipped, and the next in the epoch takes its place.
    """

    def __init__(
        self,
        videos: AnnotatedVideos,
        size: int,
        length: int,
        sampling: ClipSampling,
        augmentation: Augmentation,
        seed: int = 0,
    ) -> None:
        self.videos, self.size, self.length = videos, size, length
        self.sampling, self.augmentation = sampling, augmentation
        self._order = EpochOrder(videos.root, len(videos), seed)

    def clip(self, number: int) -> Clip:
        """Return the clip of a number >= 0. InvalidInputError if no video, or none of 100 in a row, is of use."""
        return self._order.take(number, lambda index: self._clip(index, number), self.videos.sequences.__getitem__)

    def collect_skipped(self) -> list[SkippedSample]:
        """Return the samples skipped since the last call."""
        return self._order.collect_skipped()

    def _clip(self, index: int, number: int) -> Clip:
        rng = self._order.chance(number)
        video = self.videos[self.videos.sequences[index]]
        chosen = choose_frames(rng, video, self.length, self.sampling)
        read = {frame: read_frame(video, frame, chosen.object_ids) for frame in set(chosen.frames)}
        images, masks = zip(*(read[frame] for frame in chosen.frames), strict=True)
        frames, seen = augmented(rng, images, masks, self.size, self.augmentation)
        areas = np.count_nonzero(seen, axis=(2, 3))
        asked = areas[0] >= SMALLEST_AREA
        if not asked.any():
            raise NothingVisibleError
        seen[areas < SMALLEST_REMAINS] = False
        return Clip(frames, seen[:, asked], KIND)


def read_frame(video: AnnotatedVideo, frame: int, object_ids: Sequence[int]) -> tuple[ByteArray, MaskArray]:
    """Read an annotated frame uint8 [H, W, 3] and the masks of these objects on it, bool [objects, H, W].

    The mask of an absent object is empty.
    """
    pixels, masks = video.read_pixels(frame), video.masks(frame)
    nothing = np.zeros(pixels.shape[:2], bool)
    return pixels, np.stack([masks.get(each, nothing) for each in object_ids])
