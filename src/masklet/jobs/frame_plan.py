"""Through which frames a video is tracked, in which order, and which of them are still to be done."""

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
class TrackingTask:
    """Which frames are wanted, and where to go from the prompted ones."""

    frames: range
    direction: Direction


@dataclass(frozen=True)
class Stretch:
    """Frames, in ascending order, that are tracked one after the other: from the first on, or from the last back."""

    frames: range
    is_backward: bool = False

    @property
    def direction(self) -> Direction:
        """The direction as a value."""
        return Direction.BACKWARD if self.is_backward else Direction.FORWARD

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


def planned(
    prompted: Sequence[int], wanted: range, direction: Direction, *, done: Container[int], corrected: Container[int]
) -> list[Stretch]:
    """Return what is to be tracked within `wanted`, given the (ascending) frames with prompts.

    Forward begins at the first prompted frame, backward at the last; both go forward first, and then back from where
    that began. Of a session that goes on, frames that are `done` are left out up to those that were `corrected`.
    """
    if not prompted:
        raise InvalidInputError("There are no prompts to track from.")
    return [stretch.unfinished(done, corrected) for stretch in _stretches(prompted[0], prompted[-1], wanted, direction)]


def _stretches(first: int, last: int, wanted: range, direction: Direction) -> Iterator[Stretch]:
    first, last = (min(max(frame, wanted.start), wanted.stop - 1) for frame in (first, last))
    if direction is Direction.BACKWARD:
        yield Stretch(range(wanted.start, last + 1), is_backward=True)
        return
    yield Stretch(range(first, wanted.stop))
    if direction is Direction.BOTH:
        yield Stretch(range(wanted.start, first), is_backward=True)
