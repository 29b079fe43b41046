"""Small copies of videos, from which frames are shown at once while somebody scrubs through them."""

import errno
import logging
import os
import shutil
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

from masklet.atomic_files import made_folder, remove_unfinished
from masklet.errors import UnreadableVideoError
from masklet.folders import unchanged_for
from masklet.media.scrubbing_copy import write_scrubbing_copy
from masklet.media.video_reader import VideoReader, open_video
from masklet.server.media_files import Readers
from masklet.server.rows import ItemRow

FOLDER = "cache/scrubbing"
KEPT_SECONDS = 7 * 24 * 3600
_PAUSES, _NAP = 9.0, 0.01
"""While the device works, a copy rests so many times as long as it took for a frame; in naps of so many seconds."""


class ScrubbingCopies:
    """The small copies of the videos that somebody looks at, where jumps in them take long.

    They are made one after the other by one thread, when a copy is asked for that is not there: after an import, a
    kill, or after the folder was deleted, which may be done at any time.

    Args:
        most: so many are held open.
        least_free_disk: bytes that copies leave free.
        is_device_busy: says whether the model works, to which copies give way.
    """

    def __init__(self, most: int, least_free_disk: int, is_device_busy: Callable[[], bool]) -> None:
        self._least_free_disk, self._is_device_busy = least_free_disk, is_device_busy
        self._readers = Readers(most, _opened)
        self._maker = ThreadPoolExecutor(1, thread_name_prefix="masklet-scrubbing")
        self._asked: set[str] = set()  # items whose copies wait, are made, are not worth it or cannot be made
        self._is_closed = False
        self._begun = 0.0  # when the frame at hand was

    def reader(self, item: ItemRow, folder: Path) -> VideoReader | None:
        """Return the copy of an item of the project in a folder; None where there is none, or none yet."""
        if item.kind != "video":
            return None
        try:
            return self._readers.get(item, folder)
        except (UnreadableVideoError, OSError):
            if item.id not in self._asked and not self._is_closed:
                self._asked.add(item.id)
                self._maker.submit(self._make, item, folder)
            return None

    def remove(self, item_id: str, folder: Path) -> None:
        """Delete the copy of an item; one that is being made ends."""
        self._asked.discard(item_id)
        self._readers.forget(item_id)
        with suppress(OSError):  # a thread may still read it, on Windows
            _path(folder, item_id).unlink(missing_ok=True)

    def close(self) -> None:
        """Stop; a copy that is being made will be begun anew."""
        self._is_closed = True
        self._maker.shutdown(cancel_futures=True)
        self._readers.close()

    def _make(self, item: ItemRow, folder: Path) -> None:
        path = _path(folder, item.id)
        try:
            self._check(item, folder)
            self._begun = time.perf_counter()
            made_folder(path.parent)
            remove_unfinished(path.parent)
            is_made = write_scrubbing_copy(folder / item.media, path, partial(self._before_each, item, folder))
        except CancelledError:
            return
        except Exception as error:  # frames are shown without it, later
            logging.getLogger("masklet.server").warning("a video has no copy for scrubbing: %s", error)
            return
        if item.id not in self._asked:  # removed meanwhile
            path.unlink(missing_ok=True)
        elif is_made:
            self._asked.discard(item.id)

    def _before_each(self, item: ItemRow, folder: Path) -> None:
        """Give way to the model before the next frame."""
        now = time.perf_counter()
        until = now + _PAUSES * (now - self._begun)
        while self._is_device_busy() and time.perf_counter() < until and not self._is_closed:
            time.sleep(_NAP)
        self._check(item, folder)
        self._begun = time.perf_counter()

    def _check(self, item: ItemRow, folder: Path) -> None:
        """Raise CancelledError for a copy that nobody wants any more, OSError where there is too little room."""
        if self._is_closed or item.id not in self._asked:
            raise CancelledError
        if shutil.disk_usage(folder).free < self._least_free_disk:
            raise OSError(errno.ENOSPC, "the disk has too little room")


def remove_old_copies(folder: Path) -> None:
    """Delete the copies of a project that nobody opened for seven days."""
    for path in unchanged_for(folder / FOLDER, "*.mp4", KEPT_SECONDS):
        path.unlink(missing_ok=True)


def _path(folder: Path, item_id: str) -> Path:
    return folder / FOLDER / f"{item_id}.mp4"


def _opened(item: ItemRow, folder: Path) -> VideoReader:
    """Open the copy of an item; UnreadableVideoError if there is none that can be used."""
    path = _path(folder, item.id)
    reader = open_video(path)
    if len(reader) != item.frames:
        reader.close()
        raise UnreadableVideoError(f"{path} has {len(reader)} frames, its video {item.frames}.")
    os.utime(path)  # see `remove_old_copies`
    return reader
