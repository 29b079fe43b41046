"""Which frames are tracked from the prompted ones on, in which order, and which of them are left; integers only."""

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from masklet.errors import InvalidInputError


class Direction(StrEnum):
    """Where to go from the prompted frames."""

    FORWARD = "forward"
    BACKWARD = "backward"
    BOTH = "both"


@dataclass(frozen=True)
class Stretch:
    """Frames, in ascending order, that are tracked one after the other: from the first on, or from the last back."""

    frames: range
    is_backward: bool = False

    @property
    def direction(self) -> Direction:
        """The direction as a value."""
        return Direction.BACKWARD if self.is_backward else Direction.FORWARD

    def __iter__(self) -> Iterator[int]:
        """Iterate over the frames in the order in which they are tracked."""
        return iter(reversed(self.frames) if self.is_backward else self.frames)

    def unfinished(self, done: Container[int], corrected: Container[int]) -> "Stretch":
        """Return what is left: from the first frame on that is not done, or on which a new prompt was added."""
        open_frames = [frame for frame in self.frames if frame not in done or frame in corrected]
        if not open_frames:
            return Stretch(range(0), self.is_backward)
        if self.is_backward:
            return Stretch(range(self.frames.start, open_frames[-1] + 1), is_backward=True)
        return Stretch(range(open_frames[0], self.frames.stop))

    def after(self, frame: int) -> "Stretch":
        """Return what is left once `frame` is done."""
        if self.is_backward:
            return Stretch(range(self.frames.start, frame), is_backward=True)
        return Stretch(range(frame + 1, self.frames.stop))


def stretches(prompted: Sequence[int], wanted: range, direction: Direction) -> list[Stretch]:
    """Return what is to be tracked within `wanted`.

    Args:
        prompted: the frames with prompts, one or more, ascending.
        wanted: frames in steps of 1.
        direction: forward begins at the first prompted frame, backward at the last, or where that is not wanted, at
            the nearest that is; both go forward first, and then back from where that began.
    """
    start = prompted[-1] if direction is Direction.BACKWARD else prompted[0]
    start = min(max(start, wanted.start), wanted.stop - 1)
    if direction is Direction.BACKWARD:
        return [Stretch(range(wanted.start, start + 1), is_backward=True)]
    forward = Stretch(range(start, wanted.stop))
    if direction is Direction.FORWARD:
        return [forward]
    return [forward, Stretch(range(wanted.start, start), is_backward=True)]


@dataclass(frozen=True)
class TrackingTask:
    """Which frames are wanted, and where to go from the prompted ones."""

    frames: range
    direction: Direction


def planned(
    prompted: Sequence[int], wanted: range, direction: Direction, *, done: Container[int], corrected: Container[int]
) -> list[Stretch]:
    """Return what is to be tracked, as `stretches` does.

    Of a session that is resumed, frames that are `done` are left out up to those that were `corrected`.
    """
    if not prompted:
        raise InvalidInputError("There are no prompts to track from.")
    return [stretch.unfinished(done, corrected) for stretch in stretches(prompted, wanted, direction)]
