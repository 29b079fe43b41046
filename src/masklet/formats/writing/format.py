"""What a format of files is to the conversion between them."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from masklet.formats.items import ImageItem, VideoItem
from masklet.formats.losses import Holds
from masklet.media.image_copies import copy_upright

Item = TypeVar("Item", ImageItem, VideoItem)
Fragments = Callable[[], Iterable[Any]]
"""Returns, anew each time, what `write` yielded, item after item; not all of it is in memory."""


@dataclass(frozen=True)
class WritingOptions:
    """How a format is written.

    Attributes:
        polygons: outlines in place of run lengths, where a format knows both.
        copies_images: whether images are copied beside the annotations, or only named there.
    """

    polygons: bool = False
    copies_images: bool = True


class FormatWriter(ABC, Generic[Item]):
    """Writes items one at a time into a folder, and at the end what stands in one file about all of them.

    Whatever `write` makes is complete or absent, and made again it is the same, so that a conversion that was killed
    goes on with the next item.

    Args:
        folder: where the files go.
        options: how they are written.
    """

    NAME: ClassVar[str]
    """What people type."""
    TITLE: ClassVar[str]
    LAYOUT: ClassVar[str]
    """The files that are written."""
    HOLDS: ClassVar[Holds]
    IS_FLAT: ClassVar[bool] = False
    """Whether all images lie in one folder, so that folders in their names become a part of the name."""
    KEEPS_VIDEOS: ClassVar[bool] = False
    """Whether the frames of a video have a folder of their own nevertheless."""
    IS_FOR_PIPELINES: ClassVar[bool] = False
    """Whether it is read by programs that have the images from elsewhere."""

    def __init__(self, folder: Path, options: WritingOptions) -> None:
        self.folder, self.options = folder, options

    @property
    def holds(self) -> Holds:
        """What it can hold as it is written here."""
        return self.HOLDS

    @abstractmethod
    def write(self, item: Item) -> Iterator[Any]:
        """Write the files of an item, and yield what `finish` has to know of it, of kinds that JSON knows."""

    def finish(self, fragments: Fragments) -> None:
        """Write what stands in one file about all items."""

    def copied(self, item: ImageItem, folder: str, *, is_jpeg: bool = False) -> str:
        """Copy the image of an item into a folder of the dataset, and return its path in that folder."""
        suffix = ".jpg" if item.file is None or is_jpeg else item.file.suffix
        if self.options.copies_images:
            suffix = copy_upright(self.folder / folder / item.name, item.file, item.read_pixels, is_jpeg=is_jpeg)
        return f"{item.name}{suffix}"


AnyWriting = FormatWriter[ImageItem] | FormatWriter[VideoItem]
AnyWriter = type[FormatWriter[ImageItem]] | type[FormatWriter[VideoItem]]


def numbered(names: Iterable[str]) -> dict[str, int]:
    """Return numbers of names, from 1 on, in the order in which they first come."""
    return {name: number for number, name in enumerate(dict.fromkeys(names), start=1)}
