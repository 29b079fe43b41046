"""Conversion of annotated data from any format that is read into any that is written, item by item."""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, cast

import masklet
from masklet.atomic_files import made_folder, written_whole
from masklet.errors import InvalidInputError
from masklet.folders import entries
from masklet.formats.items import ImageItem, VideoItem, image_item, video_item
from masklet.formats.losses import Holds, Loss, losses_of_image, losses_of_video, refuse
from masklet.formats.names import safe_names
from masklet.formats.reading.annotated import AnnotatedImages, AnnotatedVideos
from masklet.formats.reading.opening import holds_videos, open_dataset
from masklet.formats.registry import writer_named
from masklet.formats.writing.format import WritingOptions
from masklet.jobs.conversion_store import FOLDER, ConversionStore
from masklet.jobs.journal import file_fingerprint

REPORT = "export.json"


@dataclass(frozen=True)
class Conversion:
    """What came of a conversion.

    Attributes:
        items: how many images or videos there are.
        is_finished: whether all of them were converted, or the conversion was stopped before.
        losses: what the format could not hold, and how much of it: a name of `Loss` or a sentence of the reader.
    """

    items: int
    is_finished: bool
    losses: Counter[str]


@dataclass(frozen=True)
class _Unit:
    """One image or video of the source: its name, its files, and how it is read."""

    name: str
    files: Callable[[], tuple[Path, ...]]
    read: Callable[["_Watch"], Iterator[Any]]


def convert_dataset(
    source: str | os.PathLike[str],
    output: str | os.PathLike[str],
    to: str,
    *,
    strict: bool = False,
    polygons: bool = False,
    copies_images: bool = True,
    on_item: Callable[[int, int], None] = lambda done, total: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Conversion:
    """Write annotated images or videos in another format; one that was stopped or killed goes on where it was.

    One item is in memory at a time. Videos become single images in formats of images. `export.json` in the output
    reports what was lost.

    Args:
        source: in any layout that `masklet data check` reads.
        output: a folder that is new, empty or holds an unfinished conversion of the same kind.
        to: the name of the format, one of `masklet formats`.
        strict: refuse the first item of which anything would be lost.
        polygons: outlines in place of run lengths, in COCO.
        copies_images: whether images are copied, or only named.
        on_item: called before the first item and after each with the number of items done and of all.
        should_stop: asked after every item whether to end here.

    Returns:
        How many items there are, and what was lost.

    Raises:
        InvalidInputError: if source or format are unknown, the output holds something else, images are to become
            videos, an annotation is broken, or something would be lost and `strict`.
        OSError: if an image cannot be read or a file cannot be written.

    Example:
        >>> from pathlib import Path
        >>> from PIL import Image
        >>> from masklet import convert_dataset
        >>> for name in ("images", "masks"):
        ...     Path("data", name).mkdir(parents=True)
        >>> Image.new("RGB", (64, 48)).save("data/images/a.png")
        >>> Image.new("L", (64, 48), 255).save("data/masks/a.png")
        >>> convert_dataset("data", "data_yolo", "yolo").items
        1
    """
    format_of = writer_named(to)
    dataset, folder = open_dataset(source), Path(output)
    _check_output(folder)
    writer: Any = format_of(folder, WritingOptions(polygons, copies_images))
    units = _units(dataset, writer.holds, format_of.TITLE, is_flat=format_of.IS_FLAT)
    made_folder(folder)
    settings = {"source": str(Path(source).absolute()), "to": to, "polygons": polygons, "images": copies_images}
    with ConversionStore(folder, settings) as store:
        if not _convert_items(units, writer, store, strict, on_item, should_stop):
            return Conversion(len(units), False, store.losses)
        writer.finish(store.fragments)
        _write_report(folder, settings, len(units), store.losses)
        store.discard()
        return Conversion(len(units), True, store.losses)


def _convert_items(
    units: list[_Unit],
    writer: Any,
    store: ConversionStore,
    strict: bool,
    on_item: Callable[[int, int], None],
    should_stop: Callable[[], bool],
) -> bool:
    """Write what is not finished, and return whether all is."""
    on_item(len(store.finished), len(units))
    for done, unit in enumerate(units, start=1):
        fingerprint = file_fingerprint(unit.files())
        if store.finished.get(unit.name) != fingerprint:
            watch = _Watch(writer.holds, writer.TITLE, strict)
            made = chain.from_iterable(writer.write(item) for item in unit.read(watch))
            store.add(unit.name, fingerprint, made, watch.losses)
            on_item(done, len(units))
        if done < len(units) and should_stop():
            store.commit()
            return False
    store.commit()
    return True


def _check_output(folder: Path) -> None:
    if folder.is_dir() and entries(folder) and not (folder / FOLDER).is_dir():
        raise InvalidInputError(f"{folder} is not empty; a dataset is written into a new folder.")


def _units(dataset: AnnotatedImages | AnnotatedVideos, holds: Holds, title: str, *, is_flat: bool) -> list[_Unit]:
    """Return the items of a dataset under names that are safe."""
    if holds_videos(dataset):
        names = safe_names(dataset.sequences)
        return [
            _video_unit(dataset, *pair, holds, is_flat=is_flat) for pair in zip(dataset.sequences, names, strict=True)
        ]
    images = cast(AnnotatedImages, dataset)
    if not holds.images:
        raise InvalidInputError(f"{title} holds videos, and {dataset.root} single images.")
    listed = [str(Path(images.name_of(index).replace("\\", "/")).with_suffix("")) for index in range(len(images))]
    return [_image_unit(images, index, name) for index, name in enumerate(safe_names(listed, is_flat=is_flat))]


def _image_unit(dataset: AnnotatedImages, index: int, name: str) -> _Unit:
    def read(watch: "_Watch") -> Iterator[ImageItem]:
        image = dataset[index]
        watch.losses.update({str(reason): count for reason, count in image.left_out.items()})
        yield watch.image(image_item(image, name))

    return _Unit(name, lambda: dataset.files_of(index), read)


def _video_unit(dataset: AnnotatedVideos, sequence: str, name: str, holds: Holds, *, is_flat: bool) -> _Unit:
    def read(watch: "_Watch") -> Iterator[ImageItem | VideoItem]:
        item = watch.video(video_item(dataset[sequence], name))
        if holds.videos:
            yield item
            return
        for _, image in item.frames():
            yield replace(image, name=image.name.replace("/", "-")) if is_flat else image

    return _Unit(name, lambda: dataset.files_of(sequence), read)


class _Watch:
    """Counts what of an item is lost while it is read, and gives objects the ids that a format has."""

    def __init__(self, holds: Holds, title: str, strict: bool) -> None:
        self._holds, self._title, self._strict = holds, title, strict
        self.losses: Counter[str] = Counter()
        self._numbers: dict[int, int] = {}

    def image(self, item: ImageItem) -> ImageItem:
        """Return an image, of which the losses count."""
        self._note(item.name, losses_of_image(item, self._holds))
        return item

    def video(self, item: VideoItem) -> VideoItem:
        """Return a video whose losses, and those of the frames that are read, count."""
        self._note(item.name, losses_of_video(item, self._holds))
        return replace(item, frame=lambda number: self.image(self._renumbered(item.frame(number))))

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


def _write_report(folder: Path, settings: dict[str, Any], items: int, losses: Counter[str]) -> None:
    report = {"masklet": masklet.__version__, **settings, "items": items, "losses": dict(sorted(losses.items()))}
    with written_whole(folder / REPORT) as unfinished:
        unfinished.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
