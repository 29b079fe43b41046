"""Masks of a video in the JSON layout of YouTube-VIS: of each object a list, with its mask or null for each frame."""

import json
import os
from collections import defaultdict
from typing import Any

from masklet.atomic_files import written_whole
from masklet.automask.object_records import ObjectRecord
from masklet.formats.columns_on_disk import ColumnsOnDisk
from masklet.formats.object_table import recorded_objects
from masklet.media.mask_files import annotations_of
from masklet.media.recorded_masks import RecordedMasks
from masklet.media.video_reader import VideoReader

VIDEO_ID = CATEGORY_ID = 1
LISTS = {"segmentations": "segmentation", "bboxes": "bbox", "areas": "area"}
"""The lists of an object, and what of its annotation on a frame they hold."""


def write_youtube_vis_json(
    path: str | os.PathLike[str], name: str, video: VideoReader, recorded: RecordedMasks
) -> None:
    """Write the recorded frames of one video as `videos`, `categories` and `annotations`, one an object.

    An annotation holds `segmentations` (COCO run lengths), `bboxes` [x, y, width, height] and `areas`, each a list with
    one entry a frame, null where the object is not seen; its `id` is the object id, and `score` the mean predicted IoU.
    All objects are of the one category "object". Frames that were not recorded are left out: `file_names` lists the
    others. Objects that no frame shows are left out.

    Memory does not grow with the masks of the video: the lists go through a temporary file.

    Args:
        path: the file.
        name: of the video, which the names of its frames begin with.
        video: the frames.
        recorded: their masks.
    """
    frames = list(recorded)
    size = {"height": video.height, "width": video.width, "length": len(frames)}
    about = {"id": VIDEO_ID, **size, "file_names": [f"{name}/{video.frame_name(frame)}.jpg" for frame in frames]}
    categories = [{"id": CATEGORY_ID, "name": "object", "supercategory": "object"}]
    with ObjectLists() as lists, written_whole(path) as unfinished, unfinished.open("wb") as file:
        for place, frame in enumerate(frames):
            lists.add(place, [each for each in annotations_of(recorded[frame]) if each["area"]])
        file.write(_opened({"videos": [about], "categories": categories}) + b', "annotations": [')
        for number, each in enumerate(recorded_objects(recorded)):
            file.write((b",\n" if number else b"\n") + _opened(_described(each, size)))
            for list_name in LISTS:
                file.write(f', "{list_name}": ['.encode())
                file.writelines(lists.of(each.object_id, list_name, len(frames)))
                file.write(b"]")
            file.write(b"}")
        file.write(b"\n]}\n")


class ObjectLists(ColumnsOnDisk[tuple[int, str]]):
    """The lists of all objects while the frames come, each as the inside of a list of JSON."""

    def __init__(self) -> None:
        super().__init__()
        self._lengths: dict[int, int] = defaultdict(int)

    def add(self, place: int, annotations: list[dict[str, Any]]) -> None:
        """Add the frame at a place, by the annotations of the objects that are seen."""
        for each in annotations:
            for list_name, field in LISTS.items():
                entries = [*self._missing(each["id"], place), json.dumps(each[field]).encode()]
                self.append((each["id"], list_name), b",".join(entries))
            self._lengths[each["id"]] = place + 1

    def whole(self, object_id: int, list_name: str, length: int) -> bytes:
        """Return an object's list as JSON."""
        return b"[" + b"".join(self.of(object_id, list_name, length)) + b"]"

    def of(self, object_id: int, list_name: str, length: int) -> list[bytes]:
        """Return the pieces of an object's list."""
        return [*self.column((object_id, list_name)), b",".join(self._missing(object_id, length))]

    def _missing(self, object_id: int, place: int) -> list[bytes]:
        """Return the entries from where an object's lists end to a place; the first is empty where they have begun."""
        length = self._lengths[object_id]
        return [*([b""] if length else []), *([b"null"] * (place - length))]


def _opened(content: dict[str, Any]) -> bytes:
    """Return an object of JSON that is left open for further fields."""
    return json.dumps(content).removesuffix("}").encode()


def _described(record: ObjectRecord, size: dict[str, int]) -> dict[str, Any]:
    """Return the fields of an object's annotation but for its lists."""
    about = {"id": record.object_id, "video_id": VIDEO_ID, "category_id": CATEGORY_ID, "iscrowd": 0}
    return {**about, "score": round(record.mean_score, 6), **size}
