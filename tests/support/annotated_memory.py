"""Annotated data without files, for tests of what is made of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from masklet.errors import UnreadableImageError

HEIGHT, WIDTH = 48, 72


@dataclass
class ImageInMemory:
    """An image whose reading fails if it is `damaged`."""

    name: str
    pixels: np.ndarray
    all_masks: np.ndarray
    damaged: bool = False

    @property
    def objects(self) -> tuple[Callable[[], np.ndarray], ...]:
        return tuple((lambda mask=mask: mask) for mask in self.all_masks)

    def masks_of(self, indices: list[int]) -> np.ndarray:
        return self.all_masks[indices]

    def read_pixels(self) -> np.ndarray:
        if self.damaged:
            raise UnreadableImageError(f"Cannot read the image {self.name}.")
        return self.pixels


@dataclass
class ImagesInMemory:
    """A list of images."""

    images: list[ImageInMemory]
    root: Path = Path("images")

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> ImageInMemory:
        return self.images[index]


@dataclass
class VideoInMemory:
    """Frames [T, H, W, 3], masks of each annotated frame by object id, and what was read so far."""

    name: str
    frames: np.ndarray
    by_frame: dict[int, dict[int, np.ndarray]]
    damaged: frozenset[int] = frozenset()
    read: list[int] = field(default_factory=list)

    @property
    def annotated_frames(self) -> tuple[int, ...]:
        return tuple(sorted(self.by_frame))

    def __len__(self) -> int:
        return len(self.frames)

    def read_pixels(self, frame: int) -> np.ndarray:
        if frame in self.damaged:
            raise UnreadableImageError(f"Cannot read the frame {frame} of {self.name}.")
        self.read.append(frame)
        return self.frames[frame]

    def masks(self, frame: int) -> dict[int, np.ndarray]:
        return self.by_frame[frame]


@dataclass
class VideosInMemory:
    """Videos by name."""

    videos: list[VideoInMemory]
    root: Path = Path("videos")

    @property
    def sequences(self) -> tuple[str, ...]:
        return tuple(video.name for video in self.videos)

    def __len__(self) -> int:
        return len(self.videos)

    def __iter__(self) -> Iterator[VideoInMemory]:
        return iter(self.videos)

    def __getitem__(self, name: str) -> VideoInMemory:
        return self.videos[self.sequences.index(name)]


def square(top: int, left: int, side: int = 12) -> np.ndarray:
    """A mask of HEIGHT x WIDTH with one square."""
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[max(top, 0) : top + side, max(left, 0) : left + side] = True
    return mask


def image_of(name: str, *masks: np.ndarray, **fields: bool) -> ImageInMemory:
    """An image that is white where its first mask is."""
    pixels = np.repeat(masks[0][..., None] * np.uint8(255), 3, axis=2) if masks else np.zeros((HEIGHT, WIDTH, 3), "u1")
    return ImageInMemory(name, pixels, np.array(masks, bool).reshape(-1, HEIGHT, WIDTH), **fields)


def video_of(name: str, masks: list[dict[int, np.ndarray]], every: int = 1, **fields: frozenset[int]) -> VideoInMemory:
    """A video whose annotated frames (every so many-th) are white where the objects are; others are black."""
    frames = np.zeros((len(masks) * every, HEIGHT, WIDTH, 3), np.uint8)
    for number, of_frame in enumerate(masks):
        for mask in of_frame.values():
            frames[number * every][mask] = 255
    return VideoInMemory(name, frames, {number * every: each for number, each in enumerate(masks)}, **fields)


def moving_video(name: str, frames: int = 12, **fields: frozenset[int]) -> VideoInMemory:
    """Object 1 moves to the right by 4 pixels a frame, object 3 stands below it."""
    return video_of(name, [{1: square(4, 4 * frame), 3: square(30, 30)} for frame in range(frames)], **fields)
