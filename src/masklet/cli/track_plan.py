"""Through which frames `masklet track` goes, in which order, and which of them are still to be done."""

import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass

from masklet.cli.track_choices import Direction
from masklet.errors import InvalidInputError

_RANGE = re.compile(r"(\d*):(\d*)")


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
        """Return what is left: from the first frame on that is not done, or about which something new was said."""
        open_frames = [frame for frame in self.frames if frame not in done or frame in corrected]
        if not open_frames:
            return Stretch(range(0), self.is_backward)
        if self.is_backward:
            return Stretch(range(self.frames.start, open_frames[-1] + 1), is_backward=True)
        return Stretch(range(open_frames[0], self.frames.stop))


def planned(
    prompted: Sequence[int], wanted: range, direction: Direction, *, done: Container[int], corrected: Container[int]
) -> list[Stretch]:
    """Return what is to be tracked within `wanted`, given the (ascending) frames with prompts.

    Forward begins at the first prompted frame, backward at the last; both go forward first, and then back from where
    that began. Of a session that goes on, frames that are `done` are left out up to those that were `corrected`.
    """
    if not prompted:
        raise InvalidInputError("The session has no prompts; give --point, --box or --mask.")
    return [stretch.unfinished(done, corrected) for stretch in _stretches(prompted[0], prompted[-1], wanted, direction)]


def _stretches(first: int, last: int, wanted: range, direction: Direction) -> Iterator[Stretch]:
    first, last = (min(max(frame, wanted.start), wanted.stop - 1) for frame in (first, last))
    if direction is Direction.BACKWARD:
        yield Stretch(range(wanted.start, last + 1), is_backward=True)
        return
    yield Stretch(range(first, wanted.stop))
    if direction is Direction.BOTH:
        yield Stretch(range(wanted.start, first), is_backward=True)


def parsed_range(option: str | None, frame_count: int) -> range:
    """Return the frames that `--range A:B` names: A, A + 1, ... B - 1; all of them if None.

    InvalidInputError for another form, or if the video has no such frames.
    """
    match = _RANGE.fullmatch(":" if option is None else option)
    if match is None:
        raise InvalidInputError(f"--range {option} is not of the form A:B, A: or :B, with the numbers of frames.")
    first, stop = int(match[1] or 0), int(match[2] or frame_count)
    if not 0 <= first < stop <= frame_count:
        raise InvalidInputError(
            f"--range {option} is not within the video, which has the frames 0 to {frame_count - 1} (B is excluded)."
        )
    return range(first, stop)
