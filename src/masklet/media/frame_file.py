"""What a video reader needs of a video on disk, be it a file or a folder of images."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol, Self

from masklet.media.images import Pixels


@dataclass(frozen=True, eq=False)
class FrameRead:
    """A frame, uint8 [H, W, 3], and in one line what is wrong with it (empty if nothing is)."""

    pixels: Pixels
    problem: str = ""


class FrameFile(Protocol):
    """A video on disk; used by one thread at a time. One that is pickled is opened anew where it arrives."""

    name: str
    height: int
    width: int
    frame_rate: Fraction

    @property
    def problems(self) -> Sequence[str]:
        """What is wrong with the video as a whole."""
        ...

    def __len__(self) -> int: ...
    def read(self, number: int) -> FrameRead:
        """Return frame `number`; one that cannot be decoded is replaced by its neighbour."""
        ...

    def time_of(self, number: int) -> float:
        """Return the seconds from the first frame to frame `number`."""
        ...

    def name_of(self, number: int) -> str:
        """Return what a file about frame `number` is called, without its suffix."""
        ...

    def near_key(self, number: int) -> int:
        """Return the frame nearest to frame `number` that is decoded without others."""
        ...

    def reopened(self) -> Self:
        """Return the same video for a process that was forked from this one, without an open file in common."""
        ...

    def close(self) -> None:
        """Release the files."""
        ...


def damage(number: int, shown: int, *, is_corrupt: bool = False) -> str:
    """Describe what is wrong with frame `number` if frame `shown` stands in its place, or the decoder mended it."""
    if shown != number:
        return f"Frame {number} cannot be decoded; frame {shown} stands in its place."
    return f"Frame {number} is damaged." if is_corrupt else ""


def numbered(number: int) -> str:
    """Return the name of frame `number` where it has none of its own: five digits, as in DAVIS."""
    return f"{number:05d}"
