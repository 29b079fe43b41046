"""Videos as sequences of frames, whatever they are kept in."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from masklet.closing import Closing
from masklet.errors import UnreadableVideoError
from masklet.media.decoded_frames import GivenUp, HeldFrames
from masklet.media.frame_file import FrameFile
from masklet.media.frame_folders import FrameImages, ImageLike, frames_of_folder
from masklet.media.image_stack import ImageStack, is_image_stack
from masklet.media.images import Pixels
from masklet.media.video_file import VideoFile
from masklet.media.video_input import is_address

VideoSource = str | os.PathLike[str] | Sequence[ImageLike]


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
        return self.read(number)

    def read(self, number: int, is_given_up: GivenUp = lambda: False) -> Pixels:
        """Return frame `number` as `reader[number]` does; CancelledError if it is given up before its turn comes.

        Args:
            number: of the frame.
            is_given_up: says whether the frame is wanted no more; asked before it is decoded, by another thread.
        """
        count = len(self)
        if not -count <= number < count:
            raise IndexError(f"{self.name} has the frames 0 to {count - 1}; there is no frame {number}.")
        if self._held.process != os.getpid() and not self._held.is_closed:
            self._held = HeldFrames(self._held.file.reopened(), self._damage)
        return self._held.get(number % count, is_given_up)

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

    def near_key(self, number: int) -> int:
        """Return the frame nearest to frame `number` that is decoded without others."""
        return self._held.file.near_key(number)

    def close(self) -> None:
        """Stop decoding and close the file."""
        self._held.close()
