"""Items that somebody works on: what is stored, the news, the frames, and the model's session."""

import time
from collections.abc import Callable, Collection
from functools import partial
from threading import Lock, RLock
from weakref import WeakValueDictionary

from masklet.media.video_reader import VideoReader
from masklet.predictors.image_segmenter import EncodedImage, ImageSegmenter
from masklet.predictors.video_tracker import VideoTracker
from masklet.server.commands import Look
from masklet.server.events import Channel
from masklet.server.features import FeatureStore
from masklet.server.image_answers import ImageAnswers
from masklet.server.item_records import ItemRecords
from masklet.server.item_session import FOLDER, ItemSession
from masklet.server.limits import Limits
from masklet.server.live import LiveStream
from masklet.server.media_files import Readers
from masklet.server.messages import ItemMessage
from masklet.server.problems import conflict, not_found, unusable
from masklet.server.projects import Project
from masklet.server.replies import Event
from masklet.server.rows import ItemRow
from masklet.server.scheduler import Device

_IDLE_SECONDS = 600.0
SPILL = "cache/memories"
"""Where sessions put memories out of reach while they are in memory themselves."""


class Model:
    """The model and the device that it runs on, with what both lanes share.

    Args:
        tracker: the model.
        limits: of caches.
    """

    def __init__(self, tracker: VideoTracker, limits: Limits) -> None:
        self.tracker = tracker
        self.device = Device()
        self.features = FeatureStore(limits.feature_cache, lambda: self.device.count("encode"))
        self.answers = ImageAnswers(ImageSegmenter(tracker.model, tracker.processor))


class OpenItem:
    """An item with everything that commands need.

    Attributes:
        acting: held by whoever changes the item.
        channel: its news.
        used: when it was used last.
        looked_at: the newest command that says where somebody looks.
    """

    def __init__(
        self,
        project: Project,
        records: ItemRecords,
        model: Model,
        readers: Readers,
        check_room: Callable[[str, int], None],
    ) -> None:
        self.project, self.records, self.model = project, records, model
        self._check_room = partial(check_room, project.owner)
        self.acting = RLock()
        self.channel = Channel(self._reserve)
        self.used = time.monotonic()
        self.looked_at: Look | None = None
        self._readers = readers
        self._session: ItemSession | None = None
        self._live: LiveStream | None = None
        self._making = Lock()
        row = records.item()
        self.id, self.is_image = row.id, row.kind == "image"

    def row(self) -> ItemRow:
        """Return the item as it is now; Problem if it is gone."""
        return self.records.item()

    def message(self) -> ItemMessage:
        """Return the item as a message."""
        return self.row().message(self.project.id)

    def ready(self) -> ItemRow:
        """Return the item; Problem if it cannot be worked on."""
        row = self.row()
        if row.status == "importing":
            raise conflict("The item is still being imported.")
        if row.status == "failed":
            raise unusable(row.error or "The item could not be imported.")
        return row

    def size(self) -> tuple[int, int]:
        """Return height and width in pixels."""
        row = self.ready()
        return row.height or 0, row.width or 0

    def check_frame(self, frame: int, field: str = "frame") -> None:
        """Raise a Problem unless there is such a frame; a stream that goes on has none to come back to."""
        row = self.ready()
        if row.is_live:
            raise conflict("The stream goes on: prompt what it shows, or finish it first.")
        count = row.frames or 0
        if frame >= count:
            raise unusable(f"There is no frame {frame}; the frames are 0 to {count - 1}.", field)

    def reader(self) -> VideoReader:
        """Return the frames."""
        return self._readers.get(self.ready(), self.project.folder)

    def session(self) -> ItemSession:
        """Return the model's session; to be used in the lane `steps` only."""
        with self._making:
            self.used = time.monotonic()
            if self._session is None:
                model, folders = self.model, (self.project.folder / FOLDER / self.id, self.project.folder / SPILL)
                shared = model.features, model.device, *((None, None) if self.is_image else folders)
                self._session = ItemSession(model.tracker, self.ready(), self.records, self.reader(), *shared)
            return self._session

    def live(self) -> LiveStream:
        """Return the state of a stream that goes on; Problem for other items."""
        row = self.ready()
        with self._making:
            self.used = time.monotonic()
            if not row.is_live:
                raise conflict("The item is no stream that goes on.")
            if self._live is None:
                folder = self.project.folder / row.media if row.media else None
                self._live = LiveStream(self.model.tracker, folder, self._check_room)
            return self._live

    def is_live(self, stream: LiveStream) -> bool:
        """Whether this stream of the item goes on."""
        return self._live is stream

    def take_live(self) -> LiveStream | None:
        """Return the stream that goes on, which it does no longer; None if there is none."""
        with self._making:
            stream, self._live = self._live, None
            return stream

    def encoded(self, frame: int) -> EncodedImage:
        """Return the features of a frame, for answers of its own."""
        return self.session().tracked.encoded(frame)

    def publish_deleted(self) -> None:
        """Tell everybody that the item is gone."""
        self.channel.publish(Event(ev="deleted", seq=0))

    def unload(self) -> None:
        """Save the session and forget it; to be called in the lane `steps`."""
        with self._making:
            session, self._session = self._session, None
        if session is not None:
            session.save()
            session.close()

    @property
    def has_session(self) -> bool:
        """Whether the session is in memory."""
        return self._session is not None

    @property
    def has_live(self) -> bool:
        """Whether it is a stream that goes on."""
        return self._live is not None

    def _reserve(self, count: int) -> int:
        with self.records.database.writing(durable=False) as connection:
            row = connection.execute("SELECT seq FROM item WHERE key=?", (self.records.key,)).fetchone()
            connection.execute("UPDATE item SET seq=seq+? WHERE key=?", (count, self.records.key))
        return 0 if row is None else int(row["seq"])  # of an item that is gone, whose last news this is


class OpenItems:
    """The items that were used last.

    Args:
        model: for all of them.
        readers: of their media.
        limits: of sessions in memory.
        check_room: raises a Problem if a user may not keep so many bytes more.
    """

    def __init__(self, model: Model, readers: Readers, limits: Limits, check_room: Callable[[str, int], None]) -> None:
        self._model, self._readers, self._limits, self._check_room = model, readers, limits, check_room
        self._lock = Lock()
        self._open: dict[str, OpenItem] = {}
        self._known: WeakValueDictionary[str, OpenItem] = WeakValueDictionary()  # those that a socket still holds, too

    def get(self, project: Project, item_id: str) -> OpenItem:
        """Return an item of a project; Problem if it is not there."""
        with self._lock:
            item = self._known.get(item_id)
            if item is None:
                records = project.records(item_id)
                if records is None:
                    raise not_found()
                item = OpenItem(project, records, self._model, self._readers, self._check_room)
            item.used = time.monotonic()
            self._open[item_id] = self._known[item_id] = item
            return item

    def forget(self, item_id: str) -> None:
        """Drop an item that is removed."""
        with self._lock:
            self._open.pop(item_id, None)
            self._known.pop(item_id, None)
        self._model.features.forget(item_id)
        self._readers.forget(item_id)

    def trim(self, working: Collection[str] = ()) -> None:
        """Save and unload sessions beyond the limit, and idle ones; to be called in the lane `steps`.

        Args:
            working: the ids of items with jobs, whose sessions stay: the next step would load them again.
        """
        with self._lock:
            loaded = sorted((each for each in self._open.values() if each.has_session), key=lambda each: each.used)
        idle = time.monotonic() - _IDLE_SECONDS
        surplus = len(loaded) - self._limits.sessions
        for place, item in enumerate(each for each in loaded if each.id not in working):
            if place < surplus or item.used <= idle:
                item.unload()
        with self._lock:
            for item_id, item in list(self._open.items()):
                if item.used <= idle and not (item.has_session or item.has_live):
                    del self._open[item_id]

    def save_all(self) -> None:
        """Save and unload every session; to be called in the lane `steps`."""
        with self._lock:
            loaded = [each for each in self._open.values() if each.has_session]
        for item in loaded:
            item.unload()

    def streams(self, *, idle: bool = False) -> list[OpenItem]:
        """Return the streams that go on, or those to which nothing came for long."""
        until = time.monotonic() - (_IDLE_SECONDS if idle else 0)
        with self._lock:
            return [each for each in self._open.values() if each.has_live and each.used <= until]

    def session_count(self) -> int:
        """Return how many sessions are in memory."""
        with self._lock:
            return sum(each.has_session for each in self._open.values())
