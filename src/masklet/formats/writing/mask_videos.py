"""Videos of masks: white on black, one for each object."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import numpy as np

from masklet.formats.items import VideoItem
from masklet.formats.losses import Holds
from masklet.formats.writing.format import FormatWriter
from masklet.masks.geometry import Mask
from masklet.media.video_writer import VideoWriter, write_video


class MaskVideosWriter(FormatWriter[VideoItem]):
    """H.264, from 128 on inside; an object that comes late is black before."""

    NAME = "mask-videos"
    TITLE = "videos of masks"
    LAYOUT = "VIDEO/OBJECT.mp4"
    HOLDS = Holds(images=False, videos=True, categories=False, gaps=False, frame_rates=True)

    def write(self, item: VideoItem) -> Iterator[Any]:
        """Write the videos of all objects at once."""
        nothing = np.zeros((item.height, item.width), dtype=bool)
        with ExitStack() as stack:
            writers: dict[int, VideoWriter] = {}
            for place, (_, image) in enumerate(item.frames()):
                masks = {each.object_id: each.mask for each in image.objects}
                for object_id in masks.keys() - writers.keys():
                    path = self.folder / f"{item.name}/{object_id:04}.mp4"
                    opened = stack.enter_context(write_video(path, item.height, item.width, item.frame_rate))
                    writers[object_id] = opened
                    for earlier in range(place):
                        opened.write(_white(nothing), float(earlier / item.frame_rate))
                for object_id, writer in writers.items():
                    writer.write(_white(masks.get(object_id, nothing)), float(place / item.frame_rate))
        yield from ()


def _white(mask: Mask) -> Any:
    return np.repeat(mask[..., None], 3, axis=2).astype(np.uint8) * 255
