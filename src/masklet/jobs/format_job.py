"""Items into a format, one after the other: what is finished is kept, and what was lost is reported."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, Protocol

import masklet
from masklet.atomic_files import made_folder, remove_unfinished, written_whole
from masklet.formats.items import ImageItem, VideoItem
from masklet.formats.registry import writer_named
from masklet.formats.watching import Watch
from masklet.formats.writing.format import AnyWriting, WritingOptions
from masklet.jobs.conversion_store import FOLDER, ConversionStore

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
class Source:
    """One image or video that is written.

    Attributes:
        name: unlike those of the others, and safe as a path.
        fingerprint: returns what changes when it is another one; it is asked only for items of an earlier run.
        read: returns it, and how much of it its reader has left out, by sentences.
    """

    name: str
    fingerprint: Callable[[], str]
    read: Callable[[], tuple[ImageItem | VideoItem, Mapping[str, int]]]


class Sources(Protocol):
    """The items, such as a list; those of large datasets are made anew whenever they are gone through."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Source]: ...


def write_format(
    sources: Sources,
    folder: Path,
    to: str,
    options: WritingOptions,
    settings: Mapping[str, Any],
    *,
    strict: bool = False,
    dry_run: bool = False,
    on_item: Callable[[int, int], None] = lambda done, total: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Conversion:
    """Write items in a format into a folder, with `export.json` about it; go on where an earlier run was.

    Args:
        sources: in an order that is the same each time.
        folder: new, empty, or of an unfinished run with the same settings.
        to: the name of the format.
        options: how it is written.
        settings: what the files depend on, of kinds that JSON knows, for the report.
        strict: refuse the first item of which anything would be lost.
        dry_run: count what would be lost, and write nothing.
        on_item: called before the first item and after each with the number of items done and of all.
        should_stop: asked after every item whether to end here.

    Raises:
        InvalidInputError: as `convert_dataset` raises it.
        OSError: if an image cannot be read or a file cannot be written.
    """
    writer: Any = writer_named(to)(folder, options)
    if dry_run:
        return _foreseen(sources, writer, strict, on_item, should_stop)
    made_folder(folder)
    if (folder / FOLDER).is_dir():
        remove_unfinished(folder, is_deep=True)  # what an earlier run was writing when it was killed
    with ConversionStore(folder, settings) as store:
        kept, total = store.keep((each.name, each.fingerprint) for each in sources), len(sources)
        on_item(kept, total)
        for done, source in enumerate(islice(sources, kept, None), start=kept + 1):
            watch = Watch(writer, strict=strict)
            fragments = chain.from_iterable(map(writer.write, _items(source, watch)))
            store.add(source.name, source.fingerprint(), fragments, watch.losses)
            on_item(done, total)
            if done < total and should_stop():
                store.commit()
                return Conversion(total, False, store.losses)
        store.commit()
        writer.finish(store.fragments)
        _write_report(folder, settings, total, store.losses)
        store.discard()
        return Conversion(total, True, store.losses)


def _foreseen(
    sources: Sources,
    writer: AnyWriting,
    strict: bool,
    on_item: Callable[[int, int], None],
    should_stop: Callable[[], bool],
) -> Conversion:
    """Go through all that would be written; it may end after any image or frame."""
    losses, total = Counter[str](), len(sources)
    on_item(0, total)
    for done, source in enumerate(sources, start=1):
        watch = Watch(writer, strict=strict)
        for item in _items(source, watch):
            frames = item.frames() if isinstance(item, VideoItem) else ()
            if any(should_stop() for _ in frames) or (done < total and should_stop()):
                return Conversion(total, False, losses)
        losses.update(watch.losses)
        on_item(done, total)
    return Conversion(total, True, losses)


def _items(source: Source, watch: Watch) -> Iterator[ImageItem | VideoItem]:
    item, left_out = source.read()
    watch.losses.update(left_out)
    yield from watch.items(item)


def _write_report(folder: Path, settings: Mapping[str, Any], items: int, losses: Counter[str]) -> None:
    report = {"masklet": masklet.__version__, **settings, "items": items, "losses": dict(sorted(losses.items()))}
    with written_whole(folder / REPORT) as unfinished:
        unfinished.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
