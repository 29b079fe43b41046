"""Conversion of annotated data from any format that is read into any that is written, item by item."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from masklet.errors import InvalidInputError
from masklet.folders import entries
from masklet.formats.items import ImageItem, VideoItem, image_item, video_item
from masklet.formats.names import MOST_BYTES_OF_VIDEOS, safe_names, without_suffix
from masklet.formats.reading.annotated import AnnotatedImages, AnnotatedVideos, EmptyDatasetError
from masklet.formats.reading.opening import holds_videos, open_dataset
from masklet.formats.registry import writer_named
from masklet.formats.writing.format import WritingOptions
from masklet.jobs.conversion_store import FOLDER
from masklet.jobs.format_job import Conversion, Source, Sources, write_format
from masklet.jobs.journal import file_fingerprint


def convert_dataset(
    source: str | os.PathLike[str],
    output: str | os.PathLike[str],
    to: str,
    *,
    strict: bool = False,
    polygons: bool = False,
    copies_images: bool = True,
    dry_run: bool = False,
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
        dry_run: count what would be lost, and write nothing.
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
    if not holds_videos(dataset) and not format_of.HOLDS.images:
        raise InvalidInputError(f"{format_of.TITLE} holds videos, and {dataset.root} single images.")
    sources = _sources(dataset, is_flat=format_of.IS_FLAT)
    if not len(sources):
        raise EmptyDatasetError(f"{source} has no annotated images or videos; masklet data check says what is there.")
    settings = {"source": str(Path(source).absolute()), "to": to, "polygons": polygons, "images": copies_images}
    options = WritingOptions(polygons, copies_images)
    how: dict[str, Any] = {"strict": strict, "dry_run": dry_run, "on_item": on_item, "should_stop": should_stop}
    return write_format(sources, folder, to, options, settings, **how)


def _check_output(folder: Path) -> None:
    if folder.is_dir() and entries(folder) and not (folder / FOLDER).is_dir():
        raise InvalidInputError(f"{folder} is not empty; a dataset is written into a new folder.")


def _sources(dataset: AnnotatedImages | AnnotatedVideos, *, is_flat: bool) -> Sources:
    if holds_videos(dataset):
        return _Videos(dataset)
    return _Images(cast(AnnotatedImages, dataset), is_flat=is_flat)


class _Images:
    """The images of a dataset, under names that are safe."""

    def __init__(self, dataset: AnnotatedImages, *, is_flat: bool) -> None:
        self._dataset = dataset
        names = (without_suffix(dataset.name_of(index)) for index in range(len(dataset)))
        self._names = safe_names(names, is_flat=is_flat)

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[Source]:
        return (self._source(index, name) for index, name in enumerate(self._names))

    def _source(self, index: int, name: str) -> Source:
        def read() -> tuple[ImageItem, Mapping[str, int]]:
            image = self._dataset[index]
            return image_item(image, name), {str(reason): count for reason, count in image.left_out.items()}

        return Source(name, lambda: file_fingerprint(self._dataset.files_of(index)), read)


class _Videos:
    """The videos of a dataset, under names that are safe, and without folders, which most layouts do not know."""

    def __init__(self, dataset: AnnotatedVideos) -> None:
        self._dataset = dataset
        self._names = safe_names(dataset.sequences, is_flat=True, most_bytes=MOST_BYTES_OF_VIDEOS)

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[Source]:
        return (self._source(*pair) for pair in zip(self._dataset.sequences, self._names, strict=True))

    def _source(self, sequence: str, name: str) -> Source:
        def read() -> tuple[VideoItem, Mapping[str, int]]:
            return video_item(self._dataset[sequence], name), {}

        return Source(name, lambda: file_fingerprint(self._dataset.files_of(sequence)), read)
