"""The layout of SA-V's training set: a JSON file of masklets beside the frames of each video."""

from collections.abc import Iterator
from typing import Any

from masklet.formats.items import VideoItem
from masklet.formats.losses import Holds
from masklet.formats.reading.video_frames import FRAMES_PER_ANNOTATION
from masklet.formats.sav import write_sav_json
from masklet.formats.writing.format import FormatWriter
from masklet.media.recorded_masks import RecordedMasks


class SavWriter(FormatWriter[VideoItem]):
    """All frames where every fourth, or every one, is annotated; of others the annotated frames only."""

    NAME = "sa-v"
    TITLE = "SA-V"
    LAYOUT = "VIDEO_manual.json and frames in JPEGImages_24fps/VIDEO"
    HOLDS = Holds(
        images=False, videos=True, categories=False, gaps=False, every=FRAMES_PER_ANNOTATION, most_objects=10**6
    )

    def write(self, item: VideoItem) -> Iterator[Any]:
        """Write the frames and the masklets."""
        has_every_fourth = item.is_annotated_every(FRAMES_PER_ANNOTATION)
        written = range(len(item.frame_names)) if has_every_fourth else item.annotated_frames
        annotated = frozenset(item.annotated_frames)
        with RecordedMasks(item.height, item.width) as recorded:
            for number in written:
                image = item.frame(number)
                self.copied(image, "JPEGImages_24fps")
                if number in annotated:
                    recorded.record(len(recorded), image.segmentation)
            path = self.folder / f"{item.name}_manual.json"
            write_sav_json(path, item.name, item, recorded, kind="manual", frame_count=len(written))
        yield from ()
