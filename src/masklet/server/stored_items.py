"""Items of a project as the formats of other tools take them: one image or frame at a time, with its masks."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from masklet.formats.items import ImageItem, ItemObject, VideoItem
from masklet.formats.names import MOST_BYTES_OF_VIDEOS, safe_names
from masklet.formats.reading.annotated import CATEGORY
from masklet.jobs.format_job import Source
from masklet.masks.counts import counts_of_mask
from masklet.media.frame_file import numbered
from masklet.server.messages import Span
from masklet.server.open_items import OpenItem
from masklet.server.rows import StoredMask

_FRAMES_A_SECOND = 25.0


def file_names(items: Iterable[OpenItem]) -> list[str]:
    """Return the names of the items' files in exports, by which imports find them again.

    In one folder with all images a frame of the video `walk` is `walk-00000`; an image of such a name gets another.
    """
    known = [(Path(item.row().name).stem or item.id, item.is_image) for item in items]
    names = safe_names((name for name, _ in known), is_flat=True, most_bytes=MOST_BYTES_OF_VIDEOS)
    kinds = [is_image for _, is_image in known]
    starts = tuple(f"{name}-" for name, is_image in zip(names, kinds, strict=True) if not is_image)
    apart = (
        f"{name}_" if is_image and name.startswith(starts) else name
        for name, is_image in zip(names, kinds, strict=True)
    )
    return safe_names(apart)


@dataclass(frozen=True)
class StoredItem:
    """An item with the masks that are exported.

    Attributes:
        item: the item.
        name: of its files.
        objects: of which masks are exported; None: of all.
        frames: the first and the last of which masks are exported; None: all.
    """

    item: OpenItem
    name: str
    objects: Collection[int] | None = None
    frames: Span | None = None

    def numbers(self) -> list[int]:
        """Return the frames that have masks, ascending."""
        first, last = self.frames or (0, max(0, (self.item.row().frames or 1) - 1))
        return list(dict.fromkeys(each.frame for each in self.item.records.stats(self.objects, first, last)))

    def masks(self, number: int) -> list[StoredMask]:
        """Return the masks of a frame."""
        return self.item.records.masks(self.objects, number, number)

    def source(self) -> Source:
        """Return what is written; nothing is known of an earlier run."""
        return Source(self.name, str, self.read)

    def read(self) -> tuple[ImageItem | VideoItem, Mapping[str, int]]:
        """Return what a format takes, of which one frame is in memory at a time; nothing was left out."""
        if self.item.is_image:
            return self._frame(0, self.name, None), {}
        row, numbers = self.item.ready(), self.numbers()
        names = [numbered(number) for number in range(row.frames or 0)]

        def frame(number: int) -> ImageItem:
            return self._frame(number, f"{self.name}/{names[number]}", (self.name, number))

        rate = Fraction(row.fps or _FRAMES_A_SECOND).limit_denominator(1001)
        return VideoItem(self.name, *self.item.size(), names, rate, numbers, frame), {}

    def _frame(self, number: int, name: str, video: tuple[str, int] | None) -> ImageItem:
        """Return one image; masks without a pixel are left out."""
        size = self.item.size()
        classes = {each.object: each.class_name or CATEGORY for each in self.item.records.objects()}
        objects = tuple(
            ItemObject(
                each.object,
                classes[each.object],
                counts_of_mask(each.mask.mask(*size)),
                *size,
                min(1.0, max(0.0, each.score)),
            )
            for each in self.masks(number)
            if each.mask.area
        )
        file = self.item.project.folder / self.item.row().media if self.item.is_image else None
        return ImageItem(name, *size, objects, lambda: self.item.reader()[number], file, video)
