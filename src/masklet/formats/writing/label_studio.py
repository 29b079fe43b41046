"""Label Studio: a list of tasks with what was drawn with the brush, and the configuration of the labels."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

from masklet.atomic_files import written_whole
from masklet.formats.items import ImageItem, ItemObject, VideoItem
from masklet.formats.label_studio_results import boxes_result, brush_result
from masklet.formats.losses import Holds
from masklet.formats.writing.format import FormatWriter, Fragments
from masklet.formats.writing.streamed_json import write_json_list
from masklet.masks.geometry import Box

ADDRESS = "/data/local-files/?d="
"""Where Label Studio serves what lies in the folder that LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT names."""


class LabelStudioWriter(FormatWriter[ImageItem]):
    """Masks as the brush keeps them, one result an object; `meta.object_id` is the id of a video's object."""

    NAME = "label-studio"
    TITLE = "Label Studio"
    LAYOUT = "tasks.json, label_config.xml and images/IMAGE.jpg"
    HOLDS = Holds(scores=True)

    def write(self, item: ImageItem) -> Iterator[Any]:
        """Yield the task of the image."""
        address = f"{ADDRESS}images/{quote(self.copied(item, 'images'))}"
        shown = [each for each in item.objects if not each.is_crowd]
        result = [_result(each, item, f"{number}") for number, each in enumerate(shown, start=1)]
        yield {"data": {"image": address}, "annotations": [{"result": result}]}

    def finish(self, fragments: Fragments) -> None:
        """Write the tasks and the configuration."""
        _finish(self.folder, fragments, "brushlabels", label_config)


class LabelStudioVideoWriter(FormatWriter[VideoItem]):
    """Boxes through time, which is all that Label Studio has for objects in videos; one result an object."""

    NAME = "label-studio-video"
    TITLE = "Label Studio for videos"
    LAYOUT = "tasks.json and label_config.xml"
    HOLDS = Holds(images=False, videos=True, masks=False, frame_rates=True, gaps=False)

    def write(self, item: VideoItem) -> Iterator[Any]:
        """Yield the task of the video."""
        boxes: dict[tuple[int, str], dict[int, Box]] = {}
        for number, image in item.frames():
            for each in image.objects:
                boxes.setdefault((each.object_id, each.category), {})[number] = each.box
        size, count = (item.height, item.width), len(item.frame_names)
        result = [
            boxes_result(f"{object_id}", shown, size, (count, item.frame_rate), label)
            for (object_id, label), shown in sorted(boxes.items())
        ]
        yield {"data": {"video": f"{ADDRESS}videos/{quote(item.name)}"}, "annotations": [{"result": result}]}

    def finish(self, fragments: Fragments) -> None:
        """Write the tasks and the configuration."""
        _finish(self.folder, fragments, "labels", video_config)


def _result(each: ItemObject, item: ImageItem, result_id: str) -> dict[str, Any]:
    found = brush_result(result_id, each.counts, (item.height, item.width), each.category, each.score)
    return found if item.video is None else found | {"meta": {"object_id": each.object_id}}


def _finish(folder: Path, fragments: Fragments, kind: str, config: Callable[[Iterable[str]], str]) -> None:
    results = (each for task in fragments() for each in task["annotations"][0]["result"])
    labels = dict.fromkeys(label for each in results for label in each["value"][kind])
    write_json_list(folder / "tasks.json", ({"id": n} | task for n, task in enumerate(fragments(), start=1)))
    with written_whole(folder / "label_config.xml") as unfinished:
        unfinished.write_text(config(labels), encoding="utf-8")


def label_config(labels: Iterable[str]) -> str:
    """Return the configuration of a project that shows such tasks."""
    brush = f'<BrushLabels name="tag" toName="image">{_named(labels)}</BrushLabels>'
    return f'<View><Image name="image" value="$image"/>{brush}</View>\n'


def video_config(labels: Iterable[str]) -> str:
    """Return the configuration of a project that shows boxes in videos."""
    video = '<Video name="video" value="$video"/><VideoRectangle name="box" toName="video"/>'
    return f'<View><Labels name="label" toName="video">{_named(labels)}</Labels>{video}</View>\n'


def _named(labels: Iterable[str]) -> str:
    return "".join(f"<Label value={quoteattr(each)}/>" for each in labels)
