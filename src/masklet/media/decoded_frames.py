"""The frames of a video around those asked for last, decoded by a thread while the caller works."""

import os
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from threading import Lock

from masklet.errors import UnreadableVideoError
from masklet.media.forks import never_freed_after_fork
from masklet.media.frame_file import FrameFile, FrameRead
from masklet.media.images import Pixels

GivenUp = Callable[[], bool]
"""Says whether who asked for a frame wants it no more; called by any thread."""
HELD_BYTES = 96 * 2**20
ALL_HELD_BYTES = 4 * HELD_BYTES
"""Of all readers of the process: more than four share it equally."""
FEWEST_HELD_FRAMES, MOST_HELD_FRAMES = 4, 64
MOST_FRAMES_AHEAD = 8
_open: set[int] = set()  # the ids of open `HeldFrames`; without a lock, which a fork may find held for ever


class HeldFrames:
    """A few frames of a video file by number; any thread of the process that made this may ask for them.

    Frames near the last ones asked for are held, those that come next in the same direction are decoded in advance;
    both are bounded (HELD_BYTES, ALL_HELD_BYTES). All decoding happens in one thread, one frame at a time: those that
    somebody waits for in the order in which they were asked for, then those in advance. What all have given up who
    waited for it is not decoded, nor what was to be decoded in advance once a frame elsewhere is asked for.

    Args:
        file: where the frames come from; closed with this.
        damage: where to note, by its number, what is wrong with a frame that is decoded.

    Attributes:
        process: the id of the process that this belongs to; the thread is not there in one that is forked from it.
        is_closed: whether it was closed.
    """

    def __init__(self, file: FrameFile, damage: dict[int, str]) -> None:
        self.file, self.process = file, os.getpid()
        self._damage = damage
        self._lock = Lock()
        self._frames: OrderedDict[int, Future[Pixels]] = OrderedDict()
        self._waiting: dict[int, list[GivenUp]] = {}  # of each frame that is waited for, one of each thread
        self._last = -1
        self._decoder = ThreadPoolExecutor(max_workers=1, thread_name_prefix="masklet-video")
        self.is_closed = False
        never_freed_after_fork(self)
        _open.add(id(self))
        weakref.finalize(self, _open.discard, id(self))

    def __len__(self) -> int:
        """Return the number of frames that are held or being decoded."""
        return len(self._frames)

    def get(self, number: int, is_given_up: GivenUp) -> Pixels:
        """Return frame `number`, from 0 on; CancelledError if it is given up before it is decoded."""
        with self._lock:
            if number not in self._frames:
                self._drop(self._in_advance())
            frame = self._requested(number)
            for neighbour in self._upcoming(number):
                self._requested(neighbour)
            self._last = number
            self._frames.move_to_end(number)
            self._waiting.setdefault(number, []).append(is_given_up)
            self._shrink()
        try:
            return frame.result()
        except CancelledError:
            if self.is_closed:
                raise self._closed(number) from None
            raise
        finally:
            with self._lock:
                self._waiting[number].remove(is_given_up)
                if not self._waiting[number]:
                    del self._waiting[number]
                self._shrink()

    def close(self) -> None:
        """Stop decoding and close the file; a thread that still waits for a frame gets an UnreadableVideoError."""
        self.is_closed = True
        _open.discard(id(self))
        if self.process != os.getpid():
            return  # thread and file are the parent's
        with self._lock:
            self._drop([*self._frames])
        self._decoder.shutdown(wait=True, cancel_futures=True)
        self.file.close()

    @property
    def _most(self) -> int:
        """How many frames may be held, now that so many readers are open."""
        share = min(HELD_BYTES, ALL_HELD_BYTES // max(1, len(_open)))
        return max(FEWEST_HELD_FRAMES, min(share // (self.file.height * self.file.width * 3), MOST_HELD_FRAMES))

    def _requested(self, number: int) -> Future[Pixels]:
        if self.is_closed:
            raise self._closed(number)
        if number not in self._frames:
            self._frames[number] = Future()
            self._decoder.submit(self._decode_next)
        return self._frames[number]

    def _upcoming(self, number: int) -> Iterator[int]:
        """Yield the frames to decode in advance.

        Backwards they are a long stretch, because decoding runs forwards and each begins at a key frame far before.
        """
        half = self._most // 2
        if number == self._last + 1:
            yield from range(number + 1, min(number + 1 + min(half, MOST_FRAMES_AHEAD), len(self.file)))
        elif number == self._last - 1 and number - 1 not in self._frames:
            yield from range(max(0, number - half), number)

    def _shrink(self) -> None:
        """Evict the frames that were asked for the longest time ago, but for those that a thread waits for."""
        surplus = len(self._frames) - self._most
        old = [number for number in self._frames if number not in self._waiting]
        self._drop(old[: max(0, surplus)])

    def _drop(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            self._frames.pop(number).cancel()

    def _in_advance(self) -> list[int]:
        """Return the frames to be decoded that nobody waits for."""
        return [number for number, frame in self._frames.items() if _is_due(frame) and number not in self._waiting]

    def _decode_next(self) -> None:
        """Decode the frame that is wanted most, if any is: this is called once for each that was asked for."""
        with self._lock:
            waited_for = [number for number in self._waiting if _is_due(self._frames.get(number))]
            given_up = [number for number in waited_for if all(each() for each in self._waiting[number])]
            self._drop(given_up)
            number = next((each for each in [*waited_for, *self._in_advance()] if each in self._frames), None)
            if number is None:
                return
            frame = self._frames[number]
            frame.set_running_or_notify_cancel()
        try:
            frame.set_result(self._decode(number))
        except BaseException as error:  # of whoever waits for it
            frame.set_exception(error)

    def _decode(self, number: int) -> Pixels:
        read: FrameRead = self.file.read(number)
        if read.problem:
            self._damage.setdefault(number, read.problem)
        return read.pixels

    def _closed(self, number: int) -> UnreadableVideoError:
        return UnreadableVideoError(f"{self.file.name} was closed; open it again to read frame {number}.")


def _is_due(frame: "Future[Pixels] | None") -> bool:
    """Whether a frame is to be decoded, and that has not begun."""
    return frame is not None and not (frame.running() or frame.done())
