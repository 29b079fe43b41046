"""The layouts of SA-V: JSON files of masklets as in its training set, images of masks as in its val and test sets."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from masklet.formats.items import VideoItem
from masklet.formats.losses import Holds
from masklet.formats.reading.sav_split_folder import ANNOTATIONS, FRAMES
from masklet.formats.reading.video_frames import FRAMES_PER_ANNOTATION
from masklet.formats.sav import write_sav_json
from masklet.formats.writing.format import FormatWriter
from masklet.masks.geometry import Mask
from masklet.media.frame_file import numbered
from masklet.media.mask_files import write_mask
from masklet.media.recorded_masks import RecordedMasks

MOST_OBJECTS = 10**6  # so that they are numbered in the order in which they come


class SavWriter(FormatWriter[VideoItem]):
    """All frames where every fourth, or every one, is annotated; of others the annotated frames only."""

    NAME = "sa-v"
    TITLE = "SA-V"
    LAYOUT = f"VIDEO_manual.json and {FRAMES}/VIDEO/00000.jpg"
    HOLDS = Holds(
        images=False, videos=True, categories=False, gaps=False, every=FRAMES_PER_ANNOTATION, most_objects=MOST_OBJECTS
    )

    def write(self, item: VideoItem) -> Iterator[Any]:
        """Write the frames and the masklets."""
        every = FRAMES_PER_ANNOTATION if item.is_annotated_every(FRAMES_PER_ANNOTATION) else 1
        annotated = frozenset(item.annotated_frames)
        with RecordedMasks(item.height, item.width) as recorded:
            for number in range(len(item.frame_names)) if every > 1 else item.annotated_frames:
                image = item.frame(number)
                self.copied(item.numbered(image, number), FRAMES, is_jpeg=True)
                if number in annotated:
                    recorded.record(number // every, image.segmentation)
            path = self.folder / f"{item.name}_manual.json"
            count = len(item.frame_names) if every > 1 else None
            write_sav_json(path, item.name, item, recorded, kind="manual", every=every, frame_count=count)
        yield from ()


class SavSplitWriter(FormatWriter[VideoItem]):
    """All frames, and of each object a mask for every annotated frame, also for those that do not show it.

    A video without objects has black masks in place of those of the first one.
    """

    NAME = "sa-v-val"
    TITLE = "SA-V val and test"
    LAYOUT = f"{FRAMES}/VIDEO/00000.jpg and {ANNOTATIONS}/VIDEO/000/00000.png for annotated frames"
    HOLDS = Holds(images=False, videos=True, categories=False, most_objects=MOST_OBJECTS)

    def write(self, item: VideoItem) -> Iterator[Any]:
        """Write frames and masks."""
        annotated = frozenset(item.annotated_frames)
        nothing = np.zeros((item.height, item.width), dtype=bool)
        objects: set[int] = set()
        for number in range(len(item.frame_names)):
            image = item.frame(number)
            self.copied(item.numbered(image, number), FRAMES, is_jpeg=True)
            masks = {each.object_id: each.mask for each in image.objects}
            for object_id in masks.keys() - objects:
                self._write_absent(item, object_id, [each for each in item.annotated_frames if each < number])
            objects |= masks.keys()
            for object_id in objects if number in annotated else ():
                self._write_mask(item, object_id, number, masks.get(object_id, nothing))
        if not objects:
            self._write_absent(item, 1, item.annotated_frames)
        yield from ()

    def _write_absent(self, item: VideoItem, object_id: int, frames: Sequence[int]) -> None:
        for number in frames:
            self._write_mask(item, object_id, number, np.zeros((item.height, item.width), dtype=bool))

    def _write_mask(self, item: VideoItem, object_id: int, number: int, mask: Mask) -> None:
        folder = self.folder / ANNOTATIONS / item.name / f"{object_id - 1:03}"
        write_mask(folder / f"{numbered(number)}.png", mask)
