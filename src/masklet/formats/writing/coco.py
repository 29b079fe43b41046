"""COCO's instance format: one file of images, annotations and categories."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from masklet.formats.items import ImageItem, ItemObject
from masklet.formats.losses import Holds
from masklet.formats.writing.format import FormatWriter, Fragments, numbered
from masklet.formats.writing.streamed_json import write_json_lists
from masklet.masks.outlines import pieces_of

SPLIT = "default"


class CocoWriter(FormatWriter[ImageItem]):
    """Run lengths, or polygons by choice; crowds are always run lengths, as COCO has them.

    A frame of a video has `video` and `frame_index`, and its objects their id as `attributes.track_id`.
    """

    NAME = "coco"
    TITLE = "COCO instances"
    LAYOUT = f"annotations/instances_{SPLIT}.json and images/{SPLIT}"
    HOLDS = Holds(scores=True, crowds=True)

    @property
    def holds(self) -> Holds:
        """Polygons have no holes."""
        return replace(self.HOLDS, holes=False) if self.options.polygons else self.HOLDS

    def write(self, item: ImageItem) -> Iterator[Any]:
        """Yield the entry of the image and the annotations of its objects."""
        image: dict[str, Any] = {"file_name": self.copied(item, f"images/{SPLIT}")}
        image |= {"height": item.height, "width": item.width}
        if item.video is not None:
            image |= dict(zip(("video", "frame_index"), item.video, strict=True))
        yield {"image": image, "annotations": [self._annotation(each, item) for each in item.objects]}

    def _annotation(self, each: ItemObject, item: ImageItem) -> dict[str, Any]:
        left, top, right, bottom = each.box
        uses_polygons = self.options.polygons and not each.is_crowd
        about = {
            "category": each.category,
            "segmentation": [piece.outline.ravel().tolist() for piece in pieces_of(each.mask)]
            if uses_polygons
            else each.run_length,
            "bbox": [left, top, right - left, bottom - top],
            "area": each.area,
            "iscrowd": int(each.is_crowd),
        }
        score = {} if each.score is None else {"score": round(each.score, 6)}
        track = {} if item.video is None else {"attributes": {"track_id": each.object_id}}
        return about | score | track

    def finish(self, fragments: Fragments) -> None:
        """Write the file of annotations."""
        categories = numbered(each["category"] for fragment in fragments() for each in fragment["annotations"])
        images = ({"id": number} | fragment["image"] for number, fragment in enumerate(fragments(), start=1))
        lists = {
            "categories": [{"id": number, "name": name, "supercategory": ""} for name, number in categories.items()],
            "images": images,
            "annotations": self._numbered_annotations(fragments, categories),
        }
        write_json_lists(self.folder / f"annotations/instances_{SPLIT}.json", {}, lists)

    @staticmethod
    def _numbered_annotations(fragments: Fragments, categories: dict[str, int]) -> Iterator[dict[str, Any]]:
        number = 0
        for image_id, fragment in enumerate(fragments(), start=1):
            for each in fragment["annotations"]:
                number += 1
                category = {"category_id": categories[each.pop("category")]}
                yield {"id": number, "image_id": image_id} | category | each
