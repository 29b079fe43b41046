"""The frames that come through one socket: all are taken, the newest waits while one is tracked."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import suppress

from masklet.errors import InvalidInputError, UnreadableImageError
from masklet.server.acts import record_run
from masklet.server.events import Listener
from masklet.server.fairness import Urgency
from masklet.server.item_records import keep_masks, new_run
from masklet.server.live import CameraFrame, LiveStream, ended
from masklet.server.open_items import OpenItem
from masklet.server.packets import Entry, Kind, Packet
from masklet.server.problems import Problem
from masklet.server.replies import Event
from masklet.server.rows import StoredMask


class LiveFeed:
    """Takes frames for the stream that an item is.

    Args:
        item: the stream.
        user: whose camera it is.
        workers: threads that wait for the device.
    """

    def __init__(self, item: OpenItem, user: str, workers: Executor) -> None:
        self._item, self._user, self._workers = item, user, workers
        self._newest: CameraFrame | None = None
        self._tracking: asyncio.Task[None] | None = None

    async def take(self, data: bytes) -> None:
        """Take a frame; InvalidInputError or Problem for what is none, or not the next one of a live stream."""
        loop, frame = asyncio.get_running_loop(), CameraFrame.of(data)
        stream = self._item.live()
        await loop.run_in_executor(self._workers, stream.keep, frame)
        self._newest = frame
        if self._tracking is None or self._tracking.done():
            self._tracking = asyncio.create_task(self._track(stream))

    def close(self) -> None:
        """Track nothing more."""
        if self._tracking is not None:
            self._tracking.cancel()

    async def _track(self, stream: LiveStream) -> None:
        while self._newest is not None:
            frame, self._newest = self._newest, None
            work = asyncio.get_running_loop().run_in_executor(
                self._workers, track_live, self._item, self._user, stream, frame
            )
            with suppress(Problem):  # the item is gone
                await work


def track_live(item: OpenItem, user: str, stream: LiveStream, frame: CameraFrame) -> None:
    """Track an item's objects onto a frame, and send the masks to all who have it open."""
    records, (height, width) = item.records, item.size()
    try:
        pixels = frame.pixels(height, width)
    except (InvalidInputError, UnreadableImageError) as error:
        item.channel.publish(Event(ev="live", seq=0, live={"error": str(error)}))
        return
    objects = {each.object for each in records.objects()}

    def step() -> None:
        if item.is_live(stream):
            found = stream.push(frame, pixels, objects)
            item.model.device.count("step", len(found))
            if found and item.row().media:
                _keep(item, stream, frame.number, found)
            item.channel.publish(Packet(Kind.TRACK, frame.number, width, height, tuple(found)))

    item.model.device.steps.run(user, Urgency.TRACK, step)
    if (rates := stream.rates.done(frame)) is not None:
        item.channel.publish(Event(ev="live", seq=0, live=rates))


def _keep(item: OpenItem, stream: LiveStream, number: int, found: Sequence[Entry]) -> None:
    with item.records.database.writing(durable=False) as connection:
        run = stream.run = stream.run or new_run(connection, item.records.key, "track")
        masks = [
            StoredMask(each.object, number, run, each.state, each.score, each.presence, each.revision, each.mask)
            for each in found
        ]
        keep_masks(connection, item.records.key, masks)


def end_stream(item: OpenItem, besides: Listener | None = None) -> None:
    """End a live stream: what was kept of it is a video from now on; its masks are one act.

    An event goes to everybody who listens, except `besides`.
    """
    stream = item.take_live()
    row = item.row()
    media = item.project.folder / row.media if row.media else None
    item.project.change_item(item.id, **ended(media))
    if stream is not None and stream.run is not None:
        with item.records.database.writing() as connection:
            record_run(connection, row.key, "track", [f"UPDATE run SET active=0 WHERE id={stream.run}"])
    item.channel.publish(Event(ev="item", seq=0, item=item.message()), besides=besides)
