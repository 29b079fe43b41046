"""An item on its way into a format: what of it is lost, and the form, the ids and the names that the format has."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from masklet.errors import InvalidInputError
from masklet.formats.items import ImageItem, VideoItem
from masklet.formats.losses import Loss, losses_of_image, losses_of_video, refuse
from masklet.formats.names import legal_category
from masklet.formats.reading.annotated import CATEGORY
from masklet.formats.writing.format import AnyWriting


class Watch:
    """Counts what of an item is lost while it is written, and gives objects the ids that the format has.

    Args:
        writer: of the format.
        strict: whether InvalidInputError is raised, naming the item, once anything is lost.

    Attributes:
        losses: by names of `Loss`, and by sentences of readers.
    """

    def __init__(self, writer: AnyWriting, *, strict: bool) -> None:
        self._holds, self._title, self._is_flat = writer.holds, writer.TITLE, writer.IS_FLAT and not writer.KEEPS_VIDEOS
        self._strict = strict
        self.losses: Counter[str] = Counter()
        self._numbers: dict[int, int] = {}

    def items(self, item: ImageItem | VideoItem) -> Iterator[ImageItem | VideoItem]:
        """Yield what the writer takes: the item itself, or the annotated frames of a video one by one.

        InvalidInputError if the format holds videos only, and this is an image.
        """
        if isinstance(item, ImageItem):
            if not self._holds.images:
                raise InvalidInputError(f"{self._title} holds videos; {item.name} is a single image.")
            yield self._image(item)
            return
        video = self._video(item)
        if self._holds.videos:
            yield video
            return
        for _, image in video.frames():
            yield replace(image, name=image.name.replace("/", "-")) if self._is_flat else image

    def _image(self, item: ImageItem) -> ImageItem:
        item = self._with_legal_categories(item)
        self._note(item.name, losses_of_image(item, self._holds))
        return item

    def _with_legal_categories(self, item: ImageItem) -> ImageItem:
        legal = [legal_category(each.category) or CATEGORY for each in item.objects]
        changed = sum(name != each.category for name, each in zip(legal, item.objects, strict=True))
        if not changed:
            return item
        self._note(item.name, Counter({Loss.CHARACTERS: changed}))
        named = (replace(each, category=name) for name, each in zip(legal, item.objects, strict=True))
        return replace(item, objects=tuple(named))

    def _video(self, item: VideoItem) -> VideoItem:
        """Return a video whose losses, and those of the frames that are read, count."""
        self._note(item.name, losses_of_video(item, self._holds))
        return replace(item, frame=lambda number: self._image(self._renumbered(item.frame(number))))

    def _renumbered(self, item: ImageItem) -> ImageItem:
        """Return a frame with the ids from 1 on, in the order in which objects come, where the format has no others."""
        most = self._holds.most_objects
        if most is None:
            return item
        for each in item.objects:
            if each.object_id not in self._numbers:
                number = self._numbers.setdefault(each.object_id, len(self._numbers) + 1)
                self._note(item.name, Counter({Loss.RENUMBERED: int(number != each.object_id)}))
        if len(self._numbers) > most:
            raise InvalidInputError(f"{self._title} holds up to {most} objects a video; {item.name} shows one more.")
        return replace(
            item, objects=tuple(replace(each, object_id=self._numbers[each.object_id]) for each in item.objects)
        )

    def _note(self, name: str, losses: Counter[Loss]) -> None:
        if self._strict:
            refuse(name, losses, self._title)
        self.losses.update({str(loss): count for loss, count in losses.items() if count})
