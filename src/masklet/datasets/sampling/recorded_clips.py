"""Recorded videos as endless clips, like those of the procedural world."""

from collections.abc import Sequence

import numpy as np

from masklet.datasets.annotated import AnnotatedVideo, AnnotatedVideos
from masklet.datasets.augmentation import Augmentation, augmented
from masklet.datasets.sampling.clip_sampling import ClipSampling, choose_frames
from masklet.datasets.sampling.epoch_order import EpochOrder, NothingVisibleError
from masklet.datasets.sampling.skipped import SkippedSample
from masklet.datasets.scenes.clips import SMALLEST_REMAINS, Clip
from masklet.datasets.scenes.generator import SMALLEST_AREA
from masklet.datasets.scenes.layers import ByteArray, MaskArray

KIND = "recorded"


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
