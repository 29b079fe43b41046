"""The layouts of DAVIS and YouTube-VOS: a label map for each annotated frame."""

from collections.abc import Iterator
from typing import Any

from masklet.atomic_files import written_whole
from masklet.formats.items import ImageItem, VideoItem
from masklet.formats.losses import Holds
from masklet.formats.writing.format import FormatWriter, Fragments
from masklet.formats.writing.streamed_json import write_json_lists
from masklet.media.frame_file import numbered
from masklet.media.label_maps import MAXIMUM_OBJECT_ID, write_label_map
from masklet.media.mask_files import label_map_of


class DavisWriter(FormatWriter[VideoItem]):
    """Every frame that is written has a label map; frames without annotations are left out."""

    NAME = "davis"
    TITLE = "DAVIS 2017"
    LAYOUT = "JPEGImages/480p/VIDEO/00000.jpg, Annotations/480p/VIDEO/00000.png, ImageSets/2017/val.txt"
    HOLDS = Holds(
        images=False, videos=True, overlaps=False, most_objects=MAXIMUM_OBJECT_ID, categories=False, gaps=False
    )

    def write(self, item: VideoItem) -> Iterator[Any]:
        """Write frames and label maps, and yield the name."""
        for number, image in item.frames():
            named = item.numbered(image, item.frame_numbers[number])
            self.copied(named, "JPEGImages/480p", is_jpeg=True)
            _write_labels(self, "Annotations/480p", named)
        yield item.name

    def finish(self, fragments: Fragments) -> None:
        """Write the list of sequences."""
        with written_whole(self.folder / "ImageSets/2017/val.txt") as unfinished:
            unfinished.write_text("".join(f"{name}\n" for name in fragments()), encoding="utf-8")


class YoutubeVosWriter(FormatWriter[VideoItem]):
    """All frames, and label maps of the annotated ones."""

    NAME = "youtube-vos"
    TITLE = "YouTube-VOS"
    LAYOUT = "JPEGImages/VIDEO/00000.jpg, Annotations/VIDEO/00000.png for annotated frames, meta.json"
    HOLDS = Holds(images=False, videos=True, overlaps=False, most_objects=MAXIMUM_OBJECT_ID)

    def write(self, item: VideoItem) -> Iterator[Any]:
        """Write frames and label maps, and yield what the list of objects says of the video."""
        objects: dict[int, dict[str, Any]] = {}
        annotated = frozenset(item.annotated_frames)
        for number in range(len(item.frame_names)):
            image = item.numbered(item.frame(number), item.frame_numbers[number])
            self.copied(image, "JPEGImages", is_jpeg=True)
            if number in annotated:
                _write_labels(self, "Annotations", image)
                for each in image.objects:
                    about = objects.setdefault(each.object_id, {"category": each.category, "frames": []})
                    about["frames"].append(numbered(item.frame_numbers[number]))
        yield [item.name, {"objects": objects}]

    def finish(self, fragments: Fragments) -> None:
        """Write the list of objects."""
        write_json_lists(self.folder / "meta.json", {"videos": dict(fragments())}, {})


def _write_labels(writer: FormatWriter[VideoItem], folder: str, image: ImageItem) -> None:
    write_label_map(writer.folder / folder / f"{image.name}.png", label_map_of(image.segmentation))
