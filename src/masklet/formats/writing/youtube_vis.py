"""The JSON layout of YouTube-VIS: of each object a list, with its mask or null for each frame."""

import json
from collections.abc import Iterator
from typing import Any

from masklet.formats.items import ItemObject, VideoItem
from masklet.formats.losses import Holds
from masklet.formats.writing.format import FormatWriter, Fragments, numbered
from masklet.formats.writing.streamed_json import write_json_lists
from masklet.formats.youtube_vis import LISTS, ObjectLists
from masklet.media.mask_files import annotations_of


class YoutubeVisWriter(FormatWriter[VideoItem]):
    """The annotated frames of each video, and the lists of its objects.

    As in the files of YouTube-VIS the run lengths are lists of numbers; some programs (TrackEval) take no others of a
    ground truth.
    """

    NAME = "youtube-vis"
    TITLE = "YouTube-VIS"
    LAYOUT = "JPEGImages/VIDEO/00000.jpg and instances.json"
    HOLDS = Holds(images=False, videos=True, gaps=False)

    def write(self, item: VideoItem) -> Iterator[Any]:
        """Write the frames, and yield the video, and each of its objects."""
        names: list[str] = []
        categories: dict[int, str] = {}
        with ObjectLists() as lists:
            for place, (_, image) in enumerate(item.frames()):
                names.append(self.copied(image, "JPEGImages"))
                plain = {each.object_id: _run_length(each) for each in image.objects}
                annotations = annotations_of(image.segmentation)
                lists.add(place, [each | {"segmentation": plain[each["id"]]} for each in annotations])
                categories |= {each.object_id: each.category for each in image.objects}
            size = {"height": item.height, "width": item.width, "length": len(names)}
            yield {"video": size | {"file_names": names}}
            for object_id, category in sorted(categories.items()):
                found = {name: json.loads(lists.whole(object_id, name, len(names))) for name in LISTS}
                yield {"object": {"object_id": object_id, "category": category, "iscrowd": 0, **size, **found}}

    def finish(self, fragments: Fragments) -> None:
        """Write the file of annotations."""
        objects = (each["object"] for each in fragments() if "object" in each)
        categories = numbered(each["category"] for each in objects)
        videos = (each["video"] for each in fragments() if "video" in each)
        lists = {
            "categories": [{"id": number, "name": name, "supercategory": ""} for name, number in categories.items()],
            "videos": ({"id": number} | video for number, video in enumerate(videos, start=1)),
            "annotations": _numbered_annotations(fragments, categories),
        }
        write_json_lists(self.folder / "instances.json", {}, lists)


def _run_length(each: ItemObject) -> dict[str, list[int]]:
    return {"size": [each.height, each.width], "counts": each.counts.tolist()}


def _numbered_annotations(fragments: Fragments, categories: dict[str, int]) -> Iterator[dict[str, Any]]:
    video_id = number = 0
    for fragment in fragments():
        if "video" in fragment:
            video_id += 1
        else:
            number += 1
            annotation = fragment["object"]
            ids = {"id": number, "video_id": video_id, "category_id": categories[annotation.pop("category")]}
            yield ids | annotation
