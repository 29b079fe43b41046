"""The masks that a tracking job makes: which of them are new, and how they are stored and sent."""

import time
from collections.abc import Sequence
from sqlite3 import Connection

from masklet.masks.overlap import intersection_over_union
from masklet.server.acts import Act, record_run
from masklet.server.item_records import ItemRecords, keep_masks, new_run, set_spans
from masklet.server.job import Job
from masklet.server.open_items import OpenItem
from masklet.server.overlaps import keep_overlaps
from masklet.server.packets import Entry, Kind, Packet
from masklet.server.pruning import prune
from masklet.server.rows import StoredMask
from masklet.server.spans import Spans, spans_of, without
from masklet.server.tracking_plan import ALIKE_FRAMES, ALIKE_IOU, Pass

COMMIT_SECONDS, COMMIT_FRAMES = 0.25, 32
Step = tuple[int, list[Entry]]


class Alike:
    """Holds the new masks of a correction back while they agree with the old ones.

    Args:
        records: where the old ones are.
        current: the correction.
    """

    def __init__(self, records: ItemRecords, current: Pass) -> None:
        (self._number,) = current.objects
        self._records = records
        self._size = records.item().height or 0, records.item().width or 0
        self._held: list[Step] = []

    @property
    def is_over(self) -> bool:
        """Whether so many frames agreed that the rest will, too."""
        return len(self._held) >= ALIKE_FRAMES

    def take(self, frame: int, found: list[Entry]) -> list[Step]:
        """Take the mask of a frame; return those that are new for good."""
        self._held.append((frame, found))
        if self._agrees(frame, found):
            return []
        held, self._held = self._held, []
        return held

    def _agrees(self, frame: int, found: list[Entry]) -> bool:
        old = self._records.mask(self._number, frame)
        if old is None or not found:
            return old is None and not found
        first, second = old.mask.mask(*self._size), found[0].mask.mask(*self._size)
        return intersection_over_union(first, second) >= ALIKE_IOU


class Commits:
    """Stores the masks of a job in batches and sends them; records the whole as one act.

    Args:
        item: of the masks.
        job: that makes them.
        objects: that it may change.
    """

    def __init__(self, item: OpenItem, job: Job, objects: Sequence[int]) -> None:
        self._item, self._records, self._job = item, item.records, job
        self._waiting: list[StoredMask] = []
        self._runs: list[int] = []
        self._due = 0.0
        self._revision = 0
        self._prompted: dict[int, set[int]] = {}
        self._stale: dict[int, Spans] = {number: self._records.spans("stale", number) for number in objects}

    def begin_run(self, current: Pass) -> None:
        """Begin a run of a pass."""
        with self._records.database.writing(durable=False) as connection:
            self._runs.append(new_run(connection, self._records.key, "track", self._job.id))
        self._prompted = {number: {row.frame for row in self._records.prompts(number)} for number in current.objects}
        self._revision = self._item.row().revision
        self._due = time.monotonic() + COMMIT_SECONDS

    def add(self, frame: int, found: Sequence[Entry]) -> None:
        """Take the masks of a frame; those of prompted frames are there already."""
        for each in found:
            if frame not in self._prompted[each.object]:
                numbers = each.state, each.score, each.presence, self._revision
                self._waiting.append(StoredMask(each.object, frame, self._runs[-1], *numbers, each.mask))

    def flush_if_due(self, done: int, total: int) -> None:
        """Store what waits, if the time has come."""
        if time.monotonic() >= self._due or len({each.frame for each in self._waiting}) >= COMMIT_FRAMES:
            self.flush(done, total)

    def flush(self, done: int | None = None, total: int | None = None) -> None:
        """Store what waits, and send it."""
        masks, self._waiting = self._waiting, []
        self._due = time.monotonic() + COMMIT_SECONDS
        if done is not None and total is not None:
            self._job.done, self._job.total = done, total
        with self._records.database.writing(durable=False) as connection:
            keep_masks(connection, self._records.key, masks)
            self._job.store(connection)
            self._drop_stale(connection, masks)
        keep_overlaps(self._records, masks)
        self._tell(masks)
        if done is not None and total is not None:
            self._job.advance(done, total)

    def settle(self, current: Pass) -> None:
        """Take the rest of a correction's frames for current: they agree with it."""
        (number,) = current.objects
        with self._records.database.writing(durable=False) as connection:
            frames = [(current.frames[0], current.frames[-1])]
            left = without(self._records.spans("stale", number), frames)
            set_spans(Act(connection, self._records.key, 0), "stale", number, left)

    def finish(self) -> None:
        """Record the job as one act, which can be undone."""
        key = self._records.key
        statements = []
        for number, spans in self._stale.items():
            rows = [f"INSERT INTO stale(item, object, first, last) VALUES({key}, {number}, {a}, {b})" for a, b in spans]
            statements += [*rows, f"DELETE FROM stale WHERE item={key} AND object={number}"]
        statements += [f"UPDATE run SET active=0 WHERE id={run}" for run in self._runs]
        with self._records.database.writing() as connection:
            if self._runs:
                record_run(connection, key, "track", statements)
                connection.execute("UPDATE item SET revision=revision+1 WHERE key=?", (key,))
        prune(self._records)

    def _drop_stale(self, connection: Connection, masks: Sequence[StoredMask]) -> None:
        for number in {each.object for each in masks}:
            known = self._records.spans("stale", number)
            if known:
                left = without(known, spans_of(each.frame for each in masks if each.object == number))
                set_spans(Act(connection, self._records.key, 0), "stale", number, left)

    def _tell(self, masks: Sequence[StoredMask]) -> None:
        height, width = self._item.size()
        frames: dict[int, list[Entry]] = {}
        for each in masks:
            frames.setdefault(each.frame, []).append(each.entry())
        for frame, entries in frames.items():
            packet = Packet(Kind.TRACK, frame, width, height, tuple(entries), job=self._job.number)
            self._item.channel.publish(packet)
