"""The frames of a video around those asked for last, decoded by a thread while the caller works."""

import os
from collections import Counter, OrderedDict
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from threading import Lock

from masklet.errors import UnreadableVideoError
from masklet.media.forks import never_freed_after_fork
from masklet.media.frame_file import FrameFile, FrameRead
from masklet.media.images import Pixels

HELD_BYTES = 96 * 2**20
FEWEST_HELD_FRAMES, MOST_HELD_FRAMES = 4, 64
MOST_FRAMES_AHEAD = 8


class HeldFrames:
    """A few frames of a video file by number; any thread of the process that made this may ask for them.

    Frames near the last ones asked for are held, those that come next in the same direction are decoded in advance;
    both are bounded (HELD_BYTES). All decoding happens in one thread, one frame at a time.

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
        fitting = HELD_BYTES // (file.height * file.width * 3)
        self._most = max(FEWEST_HELD_FRAMES, min(fitting, MOST_HELD_FRAMES))
        self._lock = Lock()
        self._frames: OrderedDict[int, Future[Pixels]] = OrderedDict()
        self._awaited: Counter[int] = Counter()
        self._last = -1
        self._decoder = ThreadPoolExecutor(max_workers=1, thread_name_prefix="masklet-video")
        self.is_closed = False
        never_freed_after_fork(self)

    def __len__(self) -> int:
        """Return the number of frames that are held or being decoded."""
        return len(self._frames)

    def get(self, number: int) -> Pixels:
        """Return frame `number`, from 0 on."""
        with self._lock:
            frame = self._requested(number)
            for neighbour in self._upcoming(number):
                self._requested(neighbour)
            self._last = number
            self._frames.move_to_end(number)
            self._awaited[number] += 1
            self._shrink()
        try:
            return frame.result()
        except CancelledError:
            raise self._closed(number) from None
        finally:
            with self._lock:
                self._awaited -= Counter([number])  # which drops those that nobody waits for
                self._shrink()

    def close(self) -> None:
        """Stop decoding and close the file; a thread that still waits for a frame gets an UnreadableVideoError."""
        self.is_closed = True
        if self.process != os.getpid():
            return  # thread and file are the parent's
        with self._lock:
            self._frames.clear()
        self._decoder.shutdown(wait=True, cancel_futures=True)
        self.file.close()

    def _requested(self, number: int) -> Future[Pixels]:
        if self.is_closed:
            raise self._closed(number)
        if number not in self._frames:
            self._frames[number] = self._decoder.submit(self._decode, number)
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
        old = [number for number in self._frames if not self._awaited[number]]
        for number in old[: max(0, surplus)]:
            self._frames.pop(number).cancel()

    def _decode(self, number: int) -> Pixels:
        read: FrameRead = self.file.read(number)
        if read.problem:
            self._damage.setdefault(number, read.problem)
        return read.pixels

    def _closed(self, number: int) -> UnreadableVideoError:
        return UnreadableVideoError(f"{self.file.name} was closed; open it again to read frame {number}.")
