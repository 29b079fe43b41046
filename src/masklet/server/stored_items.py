"""Items of a project as the formats of other tools take them: one image or frame at a time, with its masks."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import groupby

from masklet.errors import InvalidInputError
from masklet.formats.items import ImageItem, ItemObject, VideoItem
from masklet.formats.losses import Holds, losses_of_image, losses_of_video
from masklet.formats.reading.annotated import CATEGORY
from masklet.masks.counts import counts_of_mask
from masklet.media.frame_file import numbered
from masklet.server.open_items import OpenItem
from masklet.server.rows import StoredMask


@dataclass
class StoredItem:
    """An item with the masks that are exported.

    Attributes:
        item: the item.
        name: of its files.
        masks: those to be exported, by frame.
        holds: what the format can hold.
        losses: what it could not, counted as frames are taken.
    """

    item: OpenItem
    name: str
    masks: Mapping[int, Sequence[StoredMask]]
    holds: Holds
    losses: Counter[str] = field(default_factory=Counter)

    def items(self, *, is_flat: bool) -> Iterator[ImageItem | VideoItem]:
        """Yield what a writer takes: the video, or its frames one by one where the format has images only.

        InvalidInputError if the format cannot hold the item at all.
        """
        if self.item.is_image:
            if not self.holds.images:
                raise InvalidInputError(f"{self.name} is an image; this format holds videos.")
            yield self._frame(0, self.name, None)
        elif self.holds.videos:
            yield self._video()
        else:
            for number in self.masks:
                yield self._frame(number, f"{self.name}{'-' if is_flat else '/'}{numbered(number)}", self.name)

    def _video(self) -> VideoItem:
        row = self.item.ready()
        names = [numbered(number) for number in range(row.frames or 0)]
        video = VideoItem(
            self.name,
            *self.item.size(),
            names,
            Fraction(row.fps or 25.0).limit_denominator(1001),
            list(self.masks),
            lambda number: self._frame(number, f"{self.name}/{names[number]}", self.name),
        )
        self.losses.update({str(loss): count for loss, count in losses_of_video(video, self.holds).items()})
        return video

    def _frame(self, number: int, name: str, video: str | None) -> ImageItem:
        """Return one image; masks without a pixel are left out."""
        height, width = self.item.size()
        classes = {each.object: each.class_name or CATEGORY for each in self.item.records.objects()}
        numbers = self._numbers()
        objects = tuple(
            ItemObject(
                numbers[each.object],
                classes[each.object],
                counts_of_mask(each.mask.mask(height, width)),
                height,
                width,
                min(1.0, max(0.0, each.score)),
            )
            for each in self.masks.get(number, ())
            if each.mask.area
        )
        place = None if video is None else (video, number)
        image = ImageItem(name, height, width, objects, lambda: self.item.reader()[number], None, place)
        self.losses.update({str(loss): count for loss, count in losses_of_image(image, self.holds).items()})
        return image

    def _numbers(self) -> dict[int, int]:
        """Return the ids that objects have in the files; InvalidInputError if there are more than the format has."""
        shown = sorted({each.object for masks in self.masks.values() for each in masks})
        most = self.holds.most_objects
        if most is None:
            return {number: number for number in shown}
        if len(shown) > most:
            raise InvalidInputError(f"{self.name} shows {len(shown)} objects; this format holds {most} a video.")
        return {number: place for place, number in enumerate(shown, start=1)}


def by_frame(masks: Sequence[StoredMask]) -> dict[int, list[StoredMask]]:
    """Return masks, which are in the order of frames, by frame."""
    return {frame: list(group) for frame, group in groupby(masks, lambda each: each.frame)}
