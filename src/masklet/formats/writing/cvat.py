"""CVAT's XML: masks of images, and tracks of polygons of videos."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from masklet.atomic_files import written_whole
from masklet.formats.items import ImageItem, ItemObject, VideoItem
from masklet.formats.losses import Holds
from masklet.formats.writing.format import FormatWriter, Fragments
from masklet.masks.outlines import pieces_of
from masklet.masks.run_length import row_counts

HEAD = '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n<version>1.1</version>\n'
FILE = "annotations.xml"
SOURCE = {"source": "semi-auto", "occluded": 0}


class CvatImagesWriter(FormatWriter[ImageItem]):
    """CVAT for images 1.1: run lengths inside the box of each mask; `group_id` is the id of a video's object."""

    NAME = "cvat-images"
    TITLE = "CVAT for images"
    LAYOUT = f"{FILE} and images/IMAGE.jpg"
    HOLDS = Holds()

    def write(self, item: ImageItem) -> Iterator[Any]:
        """Yield the image with its masks."""
        about = {"name": self.copied(item, "images"), "width": item.width, "height": item.height}
        shown = [each for each in item.objects if not each.is_crowd]
        yield {"image": about, "masks": [_mask(each, item.video is not None) for each in shown]}

    def finish(self, fragments: Fragments) -> None:
        """Write the file of annotations."""
        labels = dict.fromkeys(mask["label"] for fragment in fragments() for mask in fragment["masks"])
        _write(self.folder / FILE, _meta("", labels), _images(fragments()))


def _images(fragments: Iterable[Any]) -> Iterator[str]:
    for number, fragment in enumerate(fragments):
        yield _opened("image", {"id": number} | fragment["image"])
        yield from (f"{_opened('mask', mask)}</mask>\n" for mask in fragment["masks"])
        yield "</image>\n"


def _mask(each: ItemObject, has_track: bool) -> dict[str, Any]:
    left, top, right, bottom = map(int, each.box)
    runs = row_counts(each.mask[top:bottom, left:right])
    about = {"label": each.category, **SOURCE, "rle": ", ".join(map(str, runs.tolist()))}
    place = {"left": left, "top": top, "width": right - left, "height": bottom - top, "z_order": 0}
    return about | place | ({"group_id": each.object_id} if has_track else {})


class CvatVideoWriter(FormatWriter[VideoItem]):
    """CVAT for video 1.1: of each object a track of polygons; a folder for each video, since a task has one."""

    NAME = "cvat-video"
    TITLE = "CVAT for video"
    LAYOUT = f"VIDEO/{FILE} and VIDEO/images/frame_000000.jpg"
    HOLDS = Holds(images=False, videos=True, holes=False, pieces=False, gaps=False)

    def write(self, item: VideoItem) -> Iterator[Any]:
        """Write the frames and the file of annotations of the video."""
        tracks: dict[tuple[int, str], list[tuple[int, str]]] = {}
        for place, (_, image) in enumerate(item.frames()):
            self._copy(image, item.name, place)
            for each in image.objects:
                outline = pieces_of(each.mask)[0].outline
                points = ";".join(f"{x:.2f},{y:.2f}" for x, y in outline.tolist())
                tracks.setdefault((each.object_id, each.category), []).append((place, points))
        labels = dict.fromkeys(category for _, category in tracks)
        size = f"<original_size><width>{item.width}</width><height>{item.height}</height></original_size>"
        count = len(item.annotated_frames)
        task = f"<name>{escape(item.name)}</name><size>{count}</size><mode>interpolation</mode>{size}"
        lines = (line for about, shapes in sorted(tracks.items()) for line in _track(*about, shapes, count))
        _write(self.folder / item.name / FILE, _meta(task, labels), lines)
        yield from ()

    def _copy(self, image: ImageItem, name: str, place: int) -> None:
        self.copied(replace(image, name=f"frame_{place:06}"), f"{name}/images")


def _track(object_id: int, label: str, shapes: list[tuple[int, str]], count: int) -> Iterator[str]:
    """Yield a track: a key frame for each mask, and one that ends it where the next frame shows none."""
    yield _opened("track", {"id": object_id, "label": label, "source": SOURCE["source"]})
    seen = {frame for frame, _ in shapes}
    for frame, points in shapes:
        yield _polygon(frame, points, 0)
        if frame + 1 < count and frame + 1 not in seen:
            yield _polygon(frame + 1, points, 1)
    yield "</track>\n"


def _polygon(frame: int, points: str, outside: int) -> str:
    about = {"frame": frame, "keyframe": 1, "outside": outside, "occluded": 0, "points": points, "z_order": 0}
    return f"{_opened('polygon', about)}</polygon>\n"


def _meta(task: str, labels: Iterable[str]) -> str:
    named = "".join(f"<label><name>{escape(each)}</name><attributes></attributes></label>\n" for each in labels)
    return f"<meta><task>{task}<labels>\n{named}</labels></task></meta>\n"


def _opened(tag: str, attributes: dict[str, Any]) -> str:
    return f"<{tag}{''.join(f' {name}={quoteattr(str(value))}' for name, value in attributes.items())}>"


def _write(path: Path, meta: str, lines: Iterable[str]) -> None:
    with written_whole(path) as unfinished, unfinished.open("w", encoding="utf-8", newline="\n") as file:
        file.write(HEAD + meta)
        file.writelines(lines)
        file.write("</annotations>\n")
