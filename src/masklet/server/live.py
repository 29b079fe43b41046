"""Live streams: frames of a camera come in, the newest is tracked, and its masks go out under its number."""

import io
import struct
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from masklet.atomic_files import made_folder, written_whole
from masklet.errors import InvalidInputError
from masklet.folders import matching
from masklet.media.image_files import opened_image
from masklet.media.images import Pixels, to_rgb
from masklet.predictors.video_tracker import VideoTracker
from masklet.prompts.prompt import Prompt
from masklet.server.item_session import tracked_entries
from masklet.server.packets import Entry, State
from masklet.server.problems import conflict, unusable

PROMPTED_FRAMES = 8
"""Prompts may refer to so many of the last frames."""
_MAGIC = b"MKF1"
_HEADER = struct.Struct("<4sIIQ")
_JPEG = b"\xff\xd8\xff"
_ROOM_FRAMES = 32  # after so many the disk is looked at again
_REPORT_SECONDS = 1.0


@dataclass(frozen=True)
class CameraFrame:
    """A frame as a browser sends it: "MKF1", its number, 0, its time in microseconds, then a JPEG."""

    number: int
    microseconds: int
    jpeg: bytes
    received: float

    @classmethod
    def of(cls, data: bytes) -> Self:
        """Return the frame of a binary message; InvalidInputError if it is none."""
        magic, number, _, microseconds = _HEADER.unpack_from(data) if len(data) >= _HEADER.size else (b"", 0, 0, 0)
        jpeg = data[_HEADER.size :]
        if magic != _MAGIC or not jpeg.startswith(_JPEG):
            raise InvalidInputError("A frame of a camera is MKF1, a number, 0, a time and a JPEG.")
        return cls(number, microseconds, jpeg, time.monotonic())

    def pixels(self, height: int, width: int) -> Pixels:
        """Return the pixels, uint8 [height, width, 3]; InvalidInputError for another size, before they are decoded."""
        with opened_image(io.BytesIO(self.jpeg)) as image:
            if image.size != (width, height):
                raise InvalidInputError(f"The stream has {width} x {height} pixels; got a frame of {image.size}.")
            return np.asarray(to_rgb(image))


class LiveStream:
    """A stream that goes on. `push` and `answer` are for the lane `steps` only.

    Args:
        tracker: the model.
        folder: where all frames are kept, those that come too fast to be tracked, too; None: nowhere.
        check_room: raises a Problem if so many bytes are too many.
    """

    def __init__(self, tracker: VideoTracker, folder: Path | None, check_room: Callable[[int], None]) -> None:
        self._tracked, self._folder, self._check_room = tracker.open(), folder, check_room
        if folder is not None:
            made_folder(folder)
        self._index: OrderedDict[int, int] = OrderedDict()  # by number the session's own, of the last frames
        self._bytes = 0
        self.next = 0
        self.run: int | None = None
        self.rates = Rates()

    def keep(self, frame: CameraFrame) -> None:
        """Take a frame as the next one; Problem if it is not, or there is no room for it."""
        is_next = frame.number == self.next if self._folder else frame.number >= self.next
        if not is_next:
            raise conflict(f"The next frame of this stream is number {self.next}; got {frame.number}.")
        if self._folder is not None:
            self._bytes += len(frame.jpeg)
            if frame.number % _ROOM_FRAMES == 0:
                self._check_room(self._bytes)
            with written_whole(self._folder / f"{frame.number:08d}.jpg") as unfinished:
                unfinished.write_bytes(frame.jpeg)
        self.next = frame.number + 1
        self.rates.arrived()

    def push(self, frame: CameraFrame, pixels: Pixels, objects: Collection[int]) -> list[Entry]:
        """Track those of the objects that were prompted onto a frame, and return their masks."""
        followed = [number for number in self._tracked.object_ids if number in objects]
        index, found = self._tracked.push(pixels, objects=followed)
        self._index[frame.number] = index
        while len(self._index) > PROMPTED_FRAMES:
            self._index.popitem(last=False)
        return tracked_entries(self._tracked, index, found, State.TRACKED)

    def answer(self, object_id: int, frame: int, prompt: Prompt, *, keep: bool) -> Entry:
        """Return the mask of an object on one of the last frames after a prompt; Problem if it is gone."""
        if frame not in self._index:
            raise unusable(
                f"Prompts refer to the last frames of the stream, {list(self._index)}; got {frame}.", "frame"
            )
        index = self._index[frame]
        self._tracked.add(object_id, index, prompt, keep_earlier=keep)
        found = self._tracked.segment(index, objects=[object_id])
        return tracked_entries(self._tracked, index, found, State.ANSWERED)[0]


class Rates:
    """How many frames come and go, and how long each takes, of the last second."""

    def __init__(self) -> None:
        self._arrived: deque[float] = deque(maxlen=1000)
        self._done: deque[tuple[float, float]] = deque(maxlen=1000)
        self._due = 0.0

    def arrived(self) -> None:
        """Count a frame that came."""
        self._arrived.append(time.monotonic())

    def done(self, frame: CameraFrame) -> dict[str, Any] | None:
        """Count a frame whose masks are out; once a second return the rates, in frames a second and milliseconds."""
        now = time.monotonic()
        self._done.append((now, 1000 * (now - frame.received)))
        if now < self._due:
            return None
        self._due, since = now + _REPORT_SECONDS, now - _REPORT_SECONDS
        came = sum(each >= since for each in self._arrived)
        took = sorted(milliseconds for each, milliseconds in self._done if each >= since)
        latency = {"p50": round(took[len(took) // 2], 1), "p95": round(took[len(took) * 95 // 100], 1)}
        return {"fps_in": came, "fps_out": len(took), "dropped": max(0, came - len(took)), "latency_ms": latency}


def ended(media: Path | None) -> dict[str, Any]:
    """Return what an item is when its stream is over: a video of the frames that were kept, or nothing to work on."""
    files = [] if media is None else sorted(matching(media, "*.jpg"))
    if not files:
        return {"status": "failed", "error": "The stream is over, and none of its frames were kept."}
    first, last = files[0].stat().st_mtime, files[-1].stat().st_mtime
    fps = (len(files) - 1) / (last - first) if last > first else 1.0
    return {"frames": len(files), "fps": round(fps, 3), "size": sum(each.stat().st_size for each in files)}
