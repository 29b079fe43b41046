"""What passes between formats: one image or one video at a time, with its masks as run lengths."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np

from masklet.formats.names import frame_names
from masklet.formats.reading.annotated import CATEGORY, AnnotatedImage, AnnotatedObject, AnnotatedVideo
from masklet.masks.counts import Counts, area_of, box_of, counts_of_mask
from masklet.masks.geometry import Box, Mask
from masklet.masks.run_length import RunLength, mask_of, run_length_of
from masklet.masks.segmentation import Segmentation
from masklet.media.frame_file import numbered
from masklet.media.images import Pixels


@dataclass(frozen=True, eq=False)
class ItemObject:
    """The mask of one object in one image.

    Attributes:
        object_id: from 1 on; in the frames of a video that of the object.
        category: its name.
        counts: the run lengths of the mask, at least one pixel of which is inside.
        height, width: of the image, in pixels.
        score: how good the mask is expected to be, 0 to 1; None where nobody knows.
        is_crowd: whether it is a region of many objects, and no object.
    """

    object_id: int
    category: str
    counts: Counts
    height: int
    width: int
    score: float | None = None
    is_crowd: bool = False

    @property
    def run_length(self) -> RunLength:
        """The mask in COCO's compressed form."""
        return run_length_of(self.counts, self.height, self.width)

    @property
    def area(self) -> int:
        """The number of pixels of the mask."""
        return area_of(self.counts)

    @cached_property
    def box(self) -> Box:
        """The tight box (x1, y1, x2, y2) along pixel edges."""
        found = box_of(self.counts, self.height)
        assert found is not None, "an object of an item has a pixel"
        return found

    @property
    def mask(self) -> Mask:
        """The mask, bool [H, W], decoded anew each time."""
        return mask_of(self.counts, self.height, self.width)


@dataclass(frozen=True, eq=False)
class ImageItem:
    """One image, or one frame of a video, and its objects.

    Attributes:
        name: the name of its file without suffix, after folders where there are any; nothing in it leads elsewhere.
        height, width: in pixels, upright.
        objects: that it shows, and regions of crowds.
        read_pixels: returns the pixels, uint8 [H, W, 3] RGB.
        file: that holds the image alone; None for a frame of a video file.
        video: the name of the video that it is a frame of, and which one; None: of none.
    """

    name: str
    height: int
    width: int
    objects: tuple[ItemObject, ...]
    read_pixels: Callable[[], Pixels]
    file: Path | None = None
    video: tuple[str, int] | None = None

    @property
    def segmentation(self) -> Segmentation:
        """The objects without crowds; those whose score nobody knows count as certain."""
        shown = [each for each in self.objects if not each.is_crowd]
        return Segmentation.from_run_lengths(
            [each.run_length for each in shown],
            (self.height, self.width),
            scores=np.array([1.0 if each.score is None else each.score for each in shown], dtype=np.float32),
            object_ids=[each.object_id for each in shown],
        )


@dataclass(frozen=True, eq=False)
class VideoItem:
    """One video, whose frames are read and decoded one at a time.

    Attributes:
        name: as of an image.
        height, width: in pixels.
        frame_names: the names of the frames' files without suffix, or their numbers; safe as an image's.
        frame_rate: frames a second.
        annotated_frames: the frames of which it is known what they show, ascending.
        frame: returns one of these as an image; of another, an image without objects.
    """

    name: str
    height: int
    width: int
    frame_names: Sequence[str]
    frame_rate: Fraction
    annotated_frames: Sequence[int]
    frame: Callable[[int], ImageItem]

    @cached_property
    def frame_numbers(self) -> Sequence[int]:
        """The numbers that the names of the frames are, if they are such and ascend; otherwise the frames' places."""
        numbers = [int(each) if each.isascii() and each.isdecimal() else -1 for each in self.frame_names]
        does_ascend = all(one < other for one, other in pairwise([-1, *numbers]))
        return numbers if does_ascend else range(len(numbers))

    def numbered(self, image: ImageItem, number: int) -> ImageItem:
        """Return a frame under a number of at least five digits, by which programs sort, or compute, or find masks."""
        return replace(image, name=f"{self.name}/{numbered(number)}")

    def is_annotated_every(self, step: int) -> bool:
        """Return whether frame 0, frame `step` and so on are annotated, and no others."""
        return [*self.annotated_frames] == [*range(0, len(self.frame_names), step)]

    def frames(self) -> Iterator[tuple[int, ImageItem]]:
        """Yield the annotated frames with their numbers."""
        return ((number, self.frame(number)) for number in self.annotated_frames)


def image_item(image: AnnotatedImage, name: str) -> ImageItem:
    """Return an annotated image under a name; masks without a pixel are left out, as readers count them.

    InvalidInputError if a mask is broken.
    """
    size = image.height, image.width
    found = [*((each, False) for each in image.objects), *((each, True) for each in image.crowds)]
    known = {each.object_id for each, _ in found if each.object_id is not None}
    has_ids = len(known) == len(found)
    objects = (
        _item_object(each, each.object_id if has_ids and each.object_id else place, is_crowd, size)
        for place, (each, is_crowd) in enumerate(found, start=1)
    )
    shown = tuple(each for each in objects if each.counts[1::2].any())
    return ImageItem(name, *size, shown, image.read_pixels, image.path)


def _item_object(each: AnnotatedObject, object_id: int, is_crowd: bool, size: tuple[int, int]) -> ItemObject:
    return ItemObject(object_id, each.category, counts_of_mask(each.mask()), *size, each.score, is_crowd)


def video_item(video: AnnotatedVideo, name: str) -> VideoItem:
    """Return an annotated video under a name; its first frame is read for its size."""
    with video.open_frames() as opened:
        size, frame_rate = (opened.height, opened.width), opened.frame_rate
    annotated = frozenset(video.annotated_frames)
    names = frame_names(video.frame_names)

    def frame(number: int) -> ImageItem:
        masks, scores = (video.masks(number), video.scores(number)) if number in annotated else ({}, {})
        return ImageItem(
            f"{name}/{names[number]}",
            *size,
            tuple(
                ItemObject(each, video.categories.get(each, CATEGORY), counts_of_mask(mask), *size, scores.get(each))
                for each, mask in masks.items()
                if mask.any()
            ),
            lambda: video.read_pixels(number),
            video.path_of(number),
            (name, number),
        )

    return VideoItem(name, *size, names, frame_rate, video.annotated_frames, frame)
