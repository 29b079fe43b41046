"""Video files, any frame of them at any time and exactly the one that playing from the start would show."""

import os
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction

import av

from masklet.errors import InvalidInputError, UnreadableVideoError
from masklet.media.display_matrix import display_matrix, is_on_its_side, upright
from masklet.media.frame_file import FrameRead, damage, numbered
from masklet.media.frame_index import FrameIndex, index_frames
from masklet.media.images import Pixels
from masklet.media.video_input import VideoInput, file_input

VIDEO_SUFFIXES = frozenset({".mp4", ".mkv", ".mov", ".avi", ".webm", ".m4v", ".gif"})
ROUNDING_OF_TIMES = 0.01  # mkv and gif keep times in milliseconds and hundredths only
MOST_PASSED, PASSED_BYTES = 8, 32 * 2**20
"""Of the decoded frames that a run holds, the last one among them."""
NumberedFrame = tuple[int, av.VideoFrame]


@dataclass
class _Run:
    """Frames decoded one after the other from `start` (a place in the index's starts) on.

    The last ones that it passed are held: neither a step back nor a few frames asked for out of order begin anew.
    """

    start: int
    frames: Iterator[NumberedFrame]
    passed: deque[NumberedFrame] = field(default_factory=deque)
    following: NumberedFrame | None = None  # decoded already, not reached yet

    def reach(self) -> tuple[int, int]:
        """Return the first frame that is still held and the last; (-1, -1) before any."""
        return (self.passed[0][0], self.passed[-1][0]) if self.passed else (-1, -1)

    def advance(self, number: int) -> NumberedFrame | None:
        """Return the last frame up to `number` that could be decoded, None if none could."""
        while self.reach()[1] < number:
            self.following = self.following or next(self.frames, None)
            if self.following is None or self.following[0] > number:
                break
            self._pass(self.following)
            self.following = None
        return next((passed for passed in reversed(self.passed) if passed[0] <= number), None)

    def _pass(self, frame: NumberedFrame) -> None:
        self.passed.append(frame)
        most = PASSED_BYTES // max(1, sum(plane.buffer_size for plane in frame[1].planes))
        while len(self.passed) > max(1, min(most, MOST_PASSED)):
            self.passed.popleft()


class VideoFile:
    """A video file; `read` decodes from the nearest key frame, or continues where it stopped. Not for several threads.

    Args:
        path: of the file.
        index: of the file's frames, where it is known already.
        threads: that decode; 0: as many as FFmpeg finds best.

    Attributes:
        height, width: in pixels, of the upright image.
        frame_rate: frames a second, on average where frames are shown unequally long.
        problems: what is wrong with the file as a whole.

    UnreadableVideoError if the file cannot be opened, has no video stream, or none of its frames can be decoded.
    """

    def __init__(self, path: str | os.PathLike[str], index: FrameIndex | None = None, threads: int = 0) -> None:
        self.name = os.fspath(path)
        self.height = self.width = 0
        self._path = os.path.abspath(path)  # the working directory may change
        self._index = index_frames(path) if index is None else index
        self._threads = threads
        self._input = file_input(path, threads=threads)
        self._time_base = self._input.stream.time_base or Fraction(1)
        self.frame_rate = self._average_frame_rate()
        self.problems = self._index.problems
        self._run = _Run(0, _numbered_frames(self._input, self._index, 0))
        self._matrix = display_matrix(self._find(0)[1])
        self.height, self.width = self.read(0).pixels.shape[:2]

    def __len__(self) -> int:
        return len(self._index)

    def time_of(self, number: int) -> float:
        """Return the seconds from the first frame to frame `number`."""
        if self._index.is_counted:
            return float(number / self.frame_rate)
        timestamps = self._index.timestamps
        return float((timestamps[number] - timestamps[0]) * self._time_base)

    def name_of(self, number: int) -> str:
        """Return the number of the frame with five digits."""
        return numbered(number)

    def near_key(self, number: int) -> int:
        """Return the frame nearest to frame `number` that is decoded without others."""
        return self._index.near_start(number)

    def read(self, number: int) -> FrameRead:
        """Return frame `number`, and what is wrong with it.

        A frame that cannot be decoded is shown as players do: by the last one before it that can, or the first after.
        InvalidInputError if it is not as large as the first frame.
        """
        shown, frame = self._find(number)
        pixels = upright(self._input.pixels(frame), self._matrix)
        height, width = pixels.shape[:2]
        if self.height and (height, width) != (self.height, self.width):
            raise InvalidInputError(
                f"{self.name}: frame {number} is {width} x {height} pixels, the first one "
                f"{self.width} x {self.height}; cut the video there or scale it to one size."
            )
        return FrameRead(pixels, damage(number, shown, is_corrupt=frame.is_corrupt))

    def read_scaled(self, number: int, height: int, width: int) -> Pixels:
        """Return frame `number`, or what stands in its place, scaled to a size of the upright image."""
        size = (width, height) if is_on_its_side(self._matrix) else (height, width)
        return upright(self._input.pixels(self._find(number)[1], size), self._matrix)

    def pixels_decoded_for_one(self) -> float:
        """Return how many pixels are decoded to show one frame anywhere, on average."""
        return self._index.decoded_for_one() * self.height * self.width

    def reopened(self) -> "VideoFile":
        """Return the same file, opened once more."""
        return VideoFile(self._path, self._index)

    def __reduce__(self) -> tuple[type["VideoFile"], tuple[str, FrameIndex]]:
        return VideoFile, (self._path, self._index)

    def close(self) -> None:
        """Close the file."""
        self._input.close()

    def _average_frame_rate(self) -> Fraction:
        timestamps = self._index.timestamps
        stream = self._input.stream
        nominal = Fraction(stream.average_rate or stream.guessed_rate or 25)
        if self._index.is_counted or len(timestamps) < 2:
            return nominal
        measured = (len(timestamps) - 1) / ((timestamps[-1] - timestamps[0]) * self._time_base)
        return nominal if abs(measured / nominal - 1) < ROUNDING_OF_TIMES else measured

    def _find(self, number: int) -> NumberedFrame:
        """Decode frame `number`, beginning earlier where the nearest key frame does not lead there."""
        nearest = self._index.start_before(number) if len(self) else 0
        shown: NumberedFrame | None = None
        for start in range(nearest, -1, -1):
            shown = self._run_to(number, start).advance(number)
            if shown is not None and (shown[0] == number or start < nearest):
                return shown
        found = shown or self._run.following
        if found is None:
            raise UnreadableVideoError(f"Cannot read the video {self.name}: no frame of it can be decoded.")
        return found

    def _run_to(self, number: int, start: int) -> _Run:
        """Return the run at hand if it leads to `number` no later than one from `start` would, else a new one."""
        run = self._run
        first, last = run.reach()
        begins = self._index.number_of(self._index.starts[start]) if len(self) else 0
        if run.start > start or first > number or (begins is not None and last + 1 < begins):
            self._go_to(start)
            self._run = run = _Run(start, _numbered_frames(self._input, self._index, start))
        return run

    def _go_to(self, start: int) -> None:
        if start == 0:
            fresh = file_input(self._path, threads=self._threads)
            self._input.close()
            self._input = fresh
        else:
            with suppress(av.FFmpegError):  # a format that cannot seek: an earlier start will be tried
                self._input.seek(self._index.starts[start])


def _numbered_frames(video: VideoInput, index: FrameIndex, start: int) -> Iterator[NumberedFrame]:
    """Yield the frames from a start on, without those shown before it: they need others that are not decoded."""
    for count, frame in enumerate(video.frames()):
        timestamp = count if index.is_counted else frame.pts
        if timestamp is None or (start > 0 and timestamp < index.starts[start]):
            continue
        number = index.number_of(timestamp)
        if number is not None:
            yield number, frame
