"""Videos as sequences of frames: a few are held, and the next ones are decoded while the caller works."""

import os
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from masklet.errors import UnreadableVideoError
from masklet.media.frame_file import FrameFile
from masklet.media.frame_folders import FramePictures, Picture, frames_of_folder
from masklet.media.images import Pixels
from masklet.media.video_file import VideoFile
from masklet.media.video_input import is_address

VideoSource = str | os.PathLike[str] | Sequence[Picture]

HELD_BYTES = 96 * 2**20
FEWEST_HELD_FRAMES, MOST_HELD_FRAMES = 4, 64
MOST_FRAMES_AHEAD = 8


def open_video(source: VideoSource) -> "VideoReader":
    """Open a video to read any of its frames.

    Args:
        source: a video file of any kind that FFmpeg reads (mp4, mkv, webm, gif, ...); a folder of pictures, in the
            order of the numbers in their names; or a list of pictures (files, Pillow images, uint8 [H, W, 3] RGB).

    Raises:
        UnreadableVideoError: if there is no such file, it is no video, or has no frame that can be decoded.
    """
    if not isinstance(source, str | os.PathLike):
        return VideoReader(FramePictures(source, "the list of pictures"))
    path = Path(source)
    if path.is_dir():
        return VideoReader(FramePictures(frames_of_folder(path), f"the folder {path}"))
    _check_file(path)
    return VideoReader(VideoFile(path))


def _check_file(path: Path) -> None:
    if path.is_file():
        return
    if path.exists():
        raise UnreadableVideoError(f"{path} is no file that can be read anywhere, but a pipe or a device.")
    if is_address(str(path)):
        raise UnreadableVideoError(
            f"{path} is the address of a stream, not a file; masklet.media.live_frames.live_frames reads streams."
        )
    raise UnreadableVideoError(f"No such video file or folder: {path}")


class VideoReader(Sequence[Pixels]):
    """The frames of a video by number, uint8 [H, W, 3] RGB, upright; the arrays are shared: do not write into them.

    `reader[n]` is exactly the n-th frame that playing from the start shows. Frames near the last ones asked for are
    held, those that come next in the same direction are decoded in a thread; both are bounded (HELD_BYTES). A frame
    that cannot be decoded is replaced by the one before it, and `problems` says so; what decoders make of damaged
    frames may depend on where they began. Close it, or use it as a context.

    Attributes:
        name: what the video is called in messages.
        height, width: in pixels.
        frame_rate: frames a second, on average where frames are shown unequally long (`time_of` is exact).
        problems: what is wrong with the file, one line for each damaged frame that was met so far.
        damaged: the numbers of these frames.
    """

    def __init__(self, file: FrameFile) -> None:
        self._file = file
        self.name, self.frame_rate = file.name, file.frame_rate
        self.height, self.width = file.height, file.width
        self.problems = [*file.problems]
        fitting = HELD_BYTES // (file.height * file.width * 3)
        self._held_frames = max(FEWEST_HELD_FRAMES, min(fitting, MOST_HELD_FRAMES))
        self._frames: OrderedDict[int, Future[Pixels]] = OrderedDict()
        self.damaged: set[int] = set()
        self._last = -1
        self._is_closed = False
        self._decoder = ThreadPoolExecutor(max_workers=1, thread_name_prefix="masklet-video")

    def __len__(self) -> int:
        return len(self._file)

    def __getitem__(self, number: int) -> Pixels:  # type: ignore[override]  # no slices: they would hold all frames
        """Return frame `number`, from 0 on; negative numbers count from the end. IndexError if there is none."""
        count = len(self)
        if not -count <= number < count:
            raise IndexError(f"{self.name} has the frames 0 to {count - 1}; there is no frame {number}.")
        number %= count
        frame = self._requested(number)
        for neighbour in self._upcoming(number):
            self._requested(neighbour)
        self._last = number
        self._frames.move_to_end(number)
        while len(self._frames) > self._held_frames:
            self._frames.popitem(last=False)[1].cancel()
        return frame.result()

    def __iter__(self) -> Iterator[Pixels]:
        return (self[number] for number in range(len(self)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def time_of(self, number: int) -> float:
        """Return the seconds from the first frame to frame `number`."""
        return self._file.time_of(number)

    def frame_name(self, number: int) -> str:
        """Return what a file about frame `number` is called: as the frame's own file is, or the number `00017`."""
        return self._file.name_of(number)

    def close(self) -> None:
        """Stop decoding and close the file."""
        self._is_closed = True
        self._decoder.shutdown(wait=True, cancel_futures=True)
        self._frames.clear()
        self._file.close()

    def _upcoming(self, number: int) -> Iterator[int]:
        """Yield the frames to decode in advance.

        Backwards they are a long stretch, because decoding runs forwards and each begins at a key frame far before.
        """
        half = self._held_frames // 2
        if number == self._last + 1:
            yield from range(number + 1, min(number + 1 + min(half, MOST_FRAMES_AHEAD), len(self)))
        elif number == self._last - 1 and number - 1 not in self._frames:
            yield from range(max(0, number - half), number)

    def _requested(self, number: int) -> Future[Pixels]:
        if self._is_closed:
            raise UnreadableVideoError(f"{self.name} was closed; open it again to read frame {number}.")
        if number not in self._frames:
            self._frames[number] = self._decoder.submit(self._decode, number)
        return self._frames[number]

    def _decode(self, number: int) -> Pixels:
        read = self._file.read(number)
        if read.problem and number not in self.damaged:
            self.damaged.add(number)
            self.problems.append(read.problem)
        return read.pixels
