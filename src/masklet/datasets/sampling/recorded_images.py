"""Recorded images, or single frames of videos, as endless scenes, like those of the procedural world."""

import numpy as np

from masklet.datasets.augmentation import Augmentation, augmented
from masklet.datasets.examination import READING_ERRORS
from masklet.datasets.sampling.epoch_order import EpochOrder, NothingVisibleError, SkippedSample
from masklet.datasets.sampling.recorded_clips import KIND, ClipSampling, choose_frames, read_frame
from masklet.datasets.scenes.generator import LARGEST_SHARE, MOST_OBJECTS, SMALLEST_AREA, Scene
from masklet.datasets.scenes.layers import ByteArray, MaskArray
from masklet.formats.reading.annotated import AnnotatedImages, AnnotatedVideos

MOST_DECODED = 4 * MOST_OBJECTS  # of a crowd, from which a view shows a part


class RecordedImages:
    """Scenes of `size` pixels from annotated images; the same (data, settings, seed, number), the same scene.

    Each image is sampled once an epoch. 1 to 24 objects, each of at least 24 pixels and at most 95 % of the square. A
    damaged image, or one without objects, is skipped, and the next in the epoch takes its place.
    """

    def __init__(self, images: AnnotatedImages, size: int, augmentation: Augmentation, seed: int = 0) -> None:
        self.images, self.size, self.augmentation = images, size, augmentation
        self._order = EpochOrder(images.root, len(images), seed)

    def scene(self, number: int) -> Scene:
        """Return the scene of a number >= 0. InvalidInputError if no image, or none of 100 in a row, is of use."""
        return self._order.take(number, lambda index: self._scene(index, number), self._name)

    def collect_skipped(self) -> list[SkippedSample]:
        """Return the samples skipped since the last call."""
        return self._order.collect_skipped()

    def _name(self, index: int) -> str:
        try:
            return self.images[index].name
        except READING_ERRORS:  # its annotations are what is damaged
            return f"image {index}"

    def _scene(self, index: int, number: int) -> Scene:
        rng = self._order.chance(number)
        image = self.images[index]
        if not image.objects:
            raise NothingVisibleError
        chosen = rng.permutation(len(image.objects))[:MOST_DECODED]
        return scene_of(rng, image.read_pixels(), image.masks_of(chosen.tolist()), self.size, self.augmentation)


class FramesAsImages:
    """Scenes of `size` pixels from single annotated frames of videos, otherwise as `RecordedImages`.

    Each video is sampled once an epoch, every time with another frame.
    """

    def __init__(self, videos: AnnotatedVideos, size: int, augmentation: Augmentation, seed: int = 0) -> None:
        self.videos, self.size, self.augmentation = videos, size, augmentation
        self._order = EpochOrder(videos.root, len(videos), seed)

    def scene(self, number: int) -> Scene:
        """Return the scene of a number >= 0. InvalidInputError if no video, or none of 100 in a row, is of use."""
        return self._order.take(number, lambda index: self._scene(index, number), self.videos.sequences.__getitem__)

    def collect_skipped(self) -> list[SkippedSample]:
        """Return the samples skipped since the last call."""
        return self._order.collect_skipped()

    def _scene(self, index: int, number: int) -> Scene:
        rng = self._order.chance(number)
        video = self.videos[self.videos.sequences[index]]
        chosen = choose_frames(rng, video, 1, ClipSampling())
        pixels, masks = read_frame(video, chosen.frames[0], chosen.object_ids)
        return scene_of(rng, pixels, masks, self.size, self.augmentation)


def scene_of(
    rng: np.random.Generator, pixels: ByteArray, masks: MaskArray, size: int, augmentation: Augmentation
) -> Scene:
    """Return an image and its objects, augmented; only objects that the view shows and that do not fill it."""
    images, seen = augmented(rng, [pixels], [masks], size, augmentation)
    areas = np.count_nonzero(seen[0], axis=(1, 2))
    usable = np.flatnonzero((areas >= SMALLEST_AREA) & (areas <= LARGEST_SHARE * size * size))[:MOST_OBJECTS]
    if not len(usable):
        raise NothingVisibleError
    return Scene(images[0], seen[0][usable], [-1] * len(usable), KIND)
