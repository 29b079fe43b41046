"""Through which frames a video is tracked, in which order, and which of them are still to be done."""

from collections.abc import Container, Sequence
from dataclasses import dataclass

from masklet.errors import InvalidInputError
from masklet.tracking.frame_order import Direction, Stretch, stretches


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
