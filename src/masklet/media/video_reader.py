"""Videos as sequences of frames, whatever they are kept in.

The frames around those asked for last are decoded by a thread while the caller works.
"""

import os
import weakref
from collections import Counter, OrderedDict
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from pathlib import Path
from threading import Lock

from masklet.closing import Closing
from masklet.errors import UnreadableVideoError
from masklet.media.forks import never_freed_after_fork
from masklet.media.frame_file import FrameFile, FrameRead
from masklet.media.frame_folders import FrameImages, ImageLike, frames_of_folder
from masklet.media.image_stack import ImageStack, is_image_stack
from masklet.media.images import Pixels
from masklet.media.video_file import VideoFile
from masklet.media.video_input import is_address

VideoSource = str | os.PathLike[str] | Sequence[ImageLike]

HELD_BYTES = 96 * 2**20
ALL_HELD_BYTES = 4 * HELD_BYTES
"""Of all readers of the process: more than four share it equally."""
FEWEST_HELD_FRAMES, MOST_HELD_FRAMES = 4, 64
MOST_FRAMES_AHEAD = 8
_open: set[int] = set()  # the ids of open `HeldFrames`; without a lock, which a fork may find held for ever


def open_video(source: VideoSource) -> "VideoReader":
    """Open a video to read any of its frames.

    Args:
        source: a video file of any kind that FFmpeg reads (mp4, mkv, webm, gif, ...); a folder of images, in the
            order of the numbers in their names; or a list of images (files, Pillow images, uint8 [H, W, 3] RGB).

    Raises:
        UnreadableVideoError: if there is no such file, it is no video, or has no frame that can be decoded.

    Example:
        >>> from masklet import open_video
        >>> with open_video("assets/juggle.mp4") as clip:
        ...     len(clip), clip[40].shape
        (48, (270, 480, 3))
    """
    if not isinstance(source, str | os.PathLike):
        return VideoReader(FrameImages(source, "the list of images"))
    path = Path(source)
    if path.is_dir():
        return VideoReader(FrameImages(frames_of_folder(path), f"the folder {path}"))
    _check_file(source, path)
    return VideoReader(ImageStack(path) if is_image_stack(path) else VideoFile(path))


def _check_file(source: str | os.PathLike[str], path: Path) -> None:
    if path.is_file():
        return
    if path.exists():
        raise UnreadableVideoError(f"{path} is no file that can be read anywhere, but a pipe or a device.")
    name = os.fspath(source)  # a path has one of the two slashes of an address only
    if is_address(name):
        raise UnreadableVideoError(
            f"{name} is the address of a stream, not a file; masklet.media.live_frames.live_frames reads streams."
        )
    raise UnreadableVideoError(f"No such video file or folder: {path}")


class VideoReader(Closing, Sequence[Pixels]):
    """The frames of a video by number, uint8 [H, W, 3] RGB, upright; the arrays are shared: do not write into them.

    `reader[n]` is exactly the n-th frame that playing from the start shows. A few frames are held and decoded in
    advance, see `HeldFrames`. A frame that cannot be decoded is replaced by the one before it and listed in `problems`;
    what decoders make of damaged frames may depend on where they began. Close it, or use it as a context.

    Any number of threads may read. After a fork the parent reads on as if nothing had happened, and so can the child:
    when it first reads, it opens the file anew. A pickled reader is opened anew where it arrives.

    Attributes:
        name: what the video is called in messages.
        height, width: in pixels.
        frame_rate: frames a second, on average where frames are shown unequally long (`time_of` is exact).
    """

    def __init__(self, file: FrameFile) -> None:
        self.name, self.frame_rate = file.name, file.frame_rate
        self.height, self.width = file.height, file.width
        self._damage: dict[int, str] = {}
        self._held = HeldFrames(file, self._damage)

    def __len__(self) -> int:
        return len(self._held.file)

    def __getitem__(self, number: int) -> Pixels:  # type: ignore[override]  # no slices: they would hold all frames
        """Return frame `number`, from 0 on; negative numbers count from the end. IndexError if there is none."""
        count = len(self)
        if not -count <= number < count:
            raise IndexError(f"{self.name} has the frames 0 to {count - 1}; there is no frame {number}.")
        if self._held.process != os.getpid() and not self._held.is_closed:
            self._held = HeldFrames(self._held.file.reopened(), self._damage)
        return self._held.get(number % count)

    def __iter__(self) -> Iterator[Pixels]:
        return (self[number] for number in range(len(self)))

    def __reduce__(self) -> tuple[type["VideoReader"], tuple[FrameFile]]:
        return type(self), (self._held.file,)

    @property
    def problems(self) -> list[str]:
        """What is wrong with the file, one line for each damaged frame that was met so far."""
        return [*self._held.file.problems, *self._damage.values()]

    @property
    def damaged(self) -> set[int]:
        """The numbers of the damaged frames that were met so far."""
        return {*self._damage}

    def time_of(self, number: int) -> float:
        """Return the seconds from the first frame to frame `number`."""
        return self._held.file.time_of(number)

    def frame_name(self, number: int) -> str:
        """Return what a file about frame `number` is called: as the frame's own file is, or the number `00017`."""
        return self._held.file.name_of(number)

    def close(self) -> None:
        """Stop decoding and close the file."""
        self._held.close()


class HeldFrames:
    """A few frames of a video file by number; any thread of the process that made this may ask for them.

    Frames near the last ones asked for are held, those that come next in the same direction are decoded in advance;
    both are bounded (HELD_BYTES, ALL_HELD_BYTES). All decoding happens in one thread, one frame at a time.

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
        self._awaited: Counter[int] = Counter()
        self._last = -1
        self._decoder = ThreadPoolExecutor(max_workers=1, thread_name_prefix="masklet-video")
        self.is_closed = False
        never_freed_after_fork(self)
        _open.add(id(self))
        weakref.finalize(self, _open.discard, id(self))

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
        _open.discard(id(self))
        if self.process != os.getpid():
            return  # thread and file are the parent's
        with self._lock:
            self._frames.clear()
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
