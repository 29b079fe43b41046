"""The frames of an annotated video, whether they are in a file, in a folder or listed by their names."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from masklet.errors import UnreadableVideoError
from masklet.formats.reading.annotated import MismatchedSizeError
from masklet.media.frame_folders import frame_pixels, frames_of_folder, white_of_frames
from masklet.media.images import Pixels
from masklet.media.video_reader import VideoReader, open_video

FRAMES_PER_ANNOTATION = 4
"""SA-V is filmed at 24 frames a second and annotated at 6."""
MOST_FRAMES = 10**7
"""Of a video, four days long; files that claim more are wrong."""


class VideoFrames:
    """The frames of one video, read when they are used.

    Args:
        source: a video file, or a folder of images named by their frame number.
        size: (height, width) in pixels as the annotations have it.
        frame_count: of a video file, as the annotations have it; a folder's files are counted.
        paths: the images, where not all of the folder are frames.

    Attributes:
        names: "00000" and so on.
        numbers: of each frame in the video at 24 frames a second; a folder may hold every fourth frame only.
    """

    def __init__(self, source: Path, size: tuple[int, int], frame_count: int = 0, paths: Sequence[Path] = ()) -> None:
        self.source, self.size = source, size
        self._paths = list(paths) or (frames_of_folder(source) if source.is_dir() else [])
        self.names = tuple(path.stem for path in self._paths) or tuple(f"{each:05d}" for each in range(frame_count))
        self.numbers = tuple(int(each) if each.isdecimal() else place for place, each in enumerate(self.names))

    @property
    def files(self) -> tuple[Path, ...]:
        """The images, or the one video file."""
        return tuple(self._paths) or (self.source,)

    def path_of(self, frame: int) -> Path | None:
        """Return the image file of a frame; None in a video file."""
        return self._paths[frame] if self._paths else None

    def open(self) -> VideoReader:
        """Open all frames; MismatchedSizeError if they have another size than the annotations."""
        frames = open_video(self._paths or self.source)
        try:
            self._check_size(self.source, (frames.height, frames.width))
        except MismatchedSizeError:
            frames.close()
            raise
        return frames

    def read(self, frame: int) -> Pixels:
        """Return a frame, uint8 [H, W, 3].

        UnreadableImageError or UnreadableVideoError if it cannot be read, MismatchedSizeError if its size is another.
        """
        if not self._paths:
            return self._read_from_video(frame)
        pixels = frame_pixels(self._paths[frame], str(self._paths[frame]), self._white)
        self._check_size(self._paths[frame], pixels.shape[:2])
        return pixels

    def _read_from_video(self, frame: int) -> Pixels:
        reader = self._reader
        if frame >= len(reader):
            counts = f"{len(reader)} frames, its annotations count {len(self.names)}"
            raise UnreadableVideoError(f"{self.source} has {counts}; there is no frame {frame}.")
        pixels = reader[frame]
        if frame in reader.damaged:  # a neighbour stands in its place: no masks fit it
            raise UnreadableVideoError(f"{self.source}: frame {frame} is damaged.")
        return pixels

    @cached_property
    def _white(self) -> float | None:
        """What stands for white in images of more than 8 bits, as where the whole video is opened."""
        return white_of_frames(self._paths)

    @cached_property
    def _reader(self) -> VideoReader:
        return self.open()

    def _check_size(self, path: Path, size: tuple[int, ...]) -> None:
        if size != self.size:
            sizes = f"{list(size)}, its annotations have {list(self.size)}"
            raise MismatchedSizeError(f"{path} has the size (height, width) {sizes}.")


class OverFrames:
    """What a video takes of its frames, where no pixel is void."""

    @property
    def _frames(self) -> VideoFrames:
        raise NotImplementedError

    def path_of(self, frame: int) -> Path | None:
        """Return the image file of a frame; None in a video file."""
        return self._frames.path_of(frame)

    def read_pixels(self, frame: int) -> Pixels:
        """Return a frame, uint8 [H, W, 3]; errors as `VideoFrames.read` raises them."""
        return self._frames.read(frame)

    def scores(self, frame: int) -> Mapping[int, float]:
        """Return nothing: scores are not known."""
        return {}

    def void(self, frame: int) -> None:
        """Return None: nothing is void."""

    def open_frames(self) -> VideoReader:
        """Open all frames; MismatchedSizeError if their size is not the masks'."""
        return self._frames.open()
