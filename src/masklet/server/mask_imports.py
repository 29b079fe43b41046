"""Imports as jobs: masks of other tools' files, or masklet's own, become objects of the items that they are about."""

import re
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath

from masklet.errors import InvalidInputError
from masklet.formats.reading.annotated import CATEGORY
from masklet.prompts.prompt import Prompt
from masklet.server.acts import Act, act
from masklet.server.item_records import add_object, add_prompt, keep_masks, new_run
from masklet.server.job import Job
from masklet.server.limits import Limits
from masklet.server.media_files import unpacked_all
from masklet.server.messages import ImportAs
from masklet.server.open_items import OpenItem
from masklet.server.packets import PackedMask, State
from masklet.server.prompt_commands import CERTAIN_PRESENCE
from masklet.server.replies import Event
from masklet.server.rows import StoredMask
from masklet.server.stored_items import file_names
from masklet.server.uploaded_masks import ShownFrame, read_masks
from masklet.server.uploads import Upload, Uploads

_FRAME_OF = re.compile(r"(.+)[/-](\d{1,10})")


@dataclass
class FoundObject:
    """An object in the files: its kind, and its masks by frame with their scores."""

    category: str
    masks: dict[int, tuple[PackedMask, float]] = field(default_factory=dict)


class ImportWork:
    """Reads an upload and adds its masks to items as new objects, in one act an item.

    Args:
        items: that the masks may be about, by their names; to one alone goes whatever there is.
        upload: a zip in a format of `masklet.formats`, or masklet's own JSON, in a zip or alone.
        uploads: where the upload is discarded from.
        as_: "prompts" makes a prompt of every mask, "masks" of the first one of each object.
        limits: of objects.
    """

    def __init__(
        self, items: Sequence[OpenItem], upload: Upload, uploads: Uploads, as_: ImportAs, limits: Limits
    ) -> None:
        self._items, self._upload, self._uploads, self._as, self._limits = items, upload, uploads, as_, limits
        self._names = file_names(items)
        self._found: dict[str, dict[int, FoundObject]] = {}
        self._left_out: Counter[str] = Counter()

    def run(self, job: Job) -> None:
        """Import everything; InvalidInputError if the files cannot be read, or are about none of the items."""
        try:
            with tempfile.TemporaryDirectory(dir=self._upload.folder) as place:
                self._read(job, self._unpacked(Path(place)))
            if not job.is_cancelled:
                self._store_all(job)
        finally:
            self._uploads.discard(self._upload)

    def _unpacked(self, folder: Path) -> Path:
        if self._upload.suffix == ".json":
            (folder / f"{Path(self._upload.name).stem}.json").hardlink_to(self._upload.data)
        else:
            check_room = partial(self._uploads.check_room, self._items[0].project.owner)
            unpacked_all(self._upload.data, folder, check_room)
        return folder

    # -- reading ------------------------------------------------------------------------------------------------------

    def _read(self, job: Job, folder: Path) -> None:
        for done, shown in enumerate(read_masks(folder, {each.size() for each in self._items})):
            if job.is_cancelled:
                return
            job.advance(done, done + 1)
            item, frame = self._place_of(shown)
            if item is None:
                self._left_out[f"{shown.name}: no item of this name"] += len(shown.objects)
            else:
                self._collect(item, frame, shown)
        if not self._found:
            reasons = "; ".join(sorted(self._left_out)[:5]) or "no masks"
            raise InvalidInputError(f"There is nothing to import: {reasons}.")

    def _place_of(self, shown: ShownFrame) -> tuple[OpenItem | None, int]:
        """Return the item and the frame that something is about: as an image, "walk/00003" is frame 3 of a video."""
        item, frame, match = self._item_named(shown.name), shown.frame, _FRAME_OF.fullmatch(shown.name)
        is_frame = frame is None and match is not None and (item is None or not item.is_image)
        if is_frame and match is not None:
            item, frame = self._item_named(match[1]), int(match[2])
        if item is not None and shown.frame_name is not None and item.row().frames != shown.frames:
            frame = shown.frame_name  # of the whole video, of which the files have some frames
        return item, frame or 0

    def _item_named(self, name: str) -> OpenItem | None:
        if len(self._items) == 1:
            return self._items[0]
        places = [place for place, known in enumerate(self._names) if known in (name, PurePosixPath(name).name)]
        return self._items[places[0]] if len(places) == 1 else None

    def _collect(self, item: OpenItem, frame: int, shown: ShownFrame) -> None:
        row, found = item.ready(), self._found.setdefault(item.id, {})
        for number, each in shown.objects.items():
            if each.mask is None or each.mask.shape != (row.height, row.width):
                self._left_out[f"{row.name}: masks of another size than {row.width} x {row.height}"] += 1
            elif frame >= (row.frames or 0):
                self._left_out[f"{row.name}: there is no frame {frame}"] += 1
            elif each.mask.any():
                known = found.setdefault(number, FoundObject(each.category))
                known.masks[frame] = PackedMask.of(each.mask), each.score

    # -- storing ------------------------------------------------------------------------------------------------------

    def _store_all(self, job: Job) -> None:
        counts = [self._store(each, self._found[each.id]) for each in self._items if each.id in self._found]
        job.result = {"items": counts, "left_out": dict(sorted(self._left_out.items()))}
        job.notes = [f"{reason} ({count})" for reason, count in sorted(self._left_out.items())]
        job.advance(len(counts), len(counts))

    def _store(self, item: OpenItem, found: dict[int, FoundObject]) -> dict[str, object]:
        records, numbers = item.records, []
        with item.acting, act(records.database, records.key, "import") as now:
            run = new_run(now.connection, records.key, "edit")
            for _, each in sorted(found.items()):
                class_name = None if each.category == CATEGORY else each.category
                number = add_object(now, None, class_name, None, most=self._limits.objects_per_item)
                self._store_object(now, item, run, number, each)
                numbers.append(number)
        news = Event(ev="objects", seq=0, revision=now.revision, objects=numbers)
        item.channel.publish(news, news.model_copy(update={"ev": "masks"}))
        return {"item": item.id, "objects": numbers, "masks": sum(len(each.masks) for each in found.values())}

    def _store_object(self, now: Act, item: OpenItem, run: int, number: int, each: FoundObject) -> None:
        prompted = set(each.masks) if self._as == "prompts" else {min(each.masks)}
        stored = []
        for frame, (mask, score) in each.masks.items():
            state = State.EDITED if frame in prompted else State.TRACKED
            stored.append(StoredMask(number, frame, run, state, score, CERTAIN_PRESENCE, now.revision, mask))
            if frame in prompted:
                given = Prompt(mask=mask.mask(*item.size()))
                add_prompt(now, number, frame, given, keep=False, corrects=False)
        keep_masks(now.connection, now.item, stored)
