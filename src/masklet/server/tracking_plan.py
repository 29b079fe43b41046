"""Which frames of which objects a tracking job goes through, and in which order: integers only."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from masklet.server.spans import Spans, clipped, within
from masklet.tracking.frame_order import Direction

ALIKE_FRAMES, ALIKE_IOU = 8, 0.98
"""A correction ends once so many frames in a row agree so well with the masks that were there."""


@dataclass(frozen=True)
class ObjectFrames:
    """What is known of an object.

    Attributes:
        prompts: the frames with prompts and hand edits, ascending, one or more.
        masks: the frames with a mask.
        stale: those of them that are older than a prompt.
        changed: the prompts that are newer than the masks beside them.
        is_new: whether it was never tracked.
    """

    prompts: Sequence[int]
    masks: Spans
    stale: Spans = ()
    changed: Collection[int] = ()
    is_new: bool = False


@dataclass(frozen=True)
class Pass:
    """Objects that are tracked together through neighbouring frames.

    Attributes:
        objects: their ids.
        frames: ascending.
        is_backward: whether the last one is tracked first.
        is_correction: whether it ends as soon as the masks agree with those that were there; of one object.
    """

    objects: tuple[int, ...]
    frames: range
    is_backward: bool = False
    is_correction: bool = False

    def __iter__(self) -> Iterator[int]:
        """Iterate over the frames in the order in which they are tracked."""
        return iter(reversed(self.frames) if self.is_backward else self.frames)

    @property
    def first(self) -> int:
        """The frame that is tracked first."""
        return self.frames[-1] if self.is_backward else self.frames[0]

    def from_frame(self, frame: int) -> "Pass":
        """Return what is left from a frame on."""
        frames = range(self.frames.start, frame + 1) if self.is_backward else range(frame, self.frames.stop)
        return replace(self, frames=frames)


def planned(objects: Mapping[int, ObjectFrames], wanted: range, direction: Direction) -> list[Pass]:
    """Return the passes through the `wanted` frames: corrections first, then what was never tracked.

    Objects that were never tracked go together, as `VideoTracker` takes them: forward from the first frame with a
    prompt of any of them, backward from the last.
    """
    passes = [each for number, known in objects.items() for each in corrections(number, known, wanted)]
    if direction is not Direction.BACKWARD:
        passes += _onward(objects, wanted, is_backward=False)
    if direction is not Direction.FORWARD:
        passes += _onward(objects, wanted, is_backward=True, is_second=direction is Direction.BOTH)
    return passes


def corrections(number: int, known: ObjectFrames, wanted: range) -> list[Pass]:
    """Return the passes that renew the stale masks of an object, each from the changed prompt beside it."""
    if not wanted:
        return []
    passes = []
    for first, last in clipped(known.stale, wanted.start, wanted.stop - 1):
        frames, is_forward = range(first, last + 1), first - 1 in known.changed
        is_backward = last + 1 in known.changed
        if not is_forward and not is_backward:  # a prompt is gone, or an earlier correction was cancelled
            is_forward = known.prompts[0] < first
            is_backward = not is_forward
        if is_forward:
            passes.append(Pass((number,), frames, is_correction=True))
        if is_backward:
            passes.append(Pass((number,), frames, is_backward=True, is_correction=True))
    return passes


def joins(running: Pass, front: int, number: int, frame: int) -> Pass | None:
    """Return the pass by which an object that got a prompt behind the front of a running pass catches up."""
    if number not in running.objects:
        return None
    behind = range(front + 1, frame) if running.is_backward else range(frame + 1, front)
    return Pass((number,), behind, running.is_backward, is_correction=True) if behind else None


def _onward(
    objects: Mapping[int, ObjectFrames], wanted: range, *, is_backward: bool, is_second: bool = False
) -> list[Pass]:
    """Return the passes through frames without masks; objects that begin later join those that began before."""
    starts = {}
    new = [known for known in objects.values() if known.is_new]
    for number, known in objects.items():
        of_new = [frame for each in new for frame in each.prompts] if known.is_new else known.prompts
        begin = max(of_new) if is_backward and not is_second else min(of_new)
        begin = min(max(begin, wanted.start), wanted.stop - 1)
        start = _first_missing(known, wanted, begin - is_second, is_backward=is_backward)
        if start is not None:
            starts[number] = start
    order = sorted(set(starts.values()), reverse=is_backward)
    passes = []
    for place, start in enumerate(order):
        together = tuple(number for number in starts if (starts[number] - start) * (-1 if is_backward else 1) <= 0)
        if is_backward:
            end = order[place + 1] + 1 if place + 1 < len(order) else wanted.start
            passes.append(Pass(together, range(end, start + 1), is_backward=True))
        else:
            end = order[place + 1] if place + 1 < len(order) else wanted.stop
            passes.append(Pass(together, range(start, end)))
    return [each for each in passes if each.frames]


def _first_missing(known: ObjectFrames, wanted: range, begin: int, *, is_backward: bool) -> int | None:
    """Return the first frame from `begin` on without a mask; a new object begins at once, for it has but answers."""
    frames = range(begin, wanted.start - 1, -1) if is_backward else range(begin, wanted.stop)
    if known.is_new:
        return begin if begin in frames else None
    return next((frame for frame in frames if not within(known.masks, frame)), None)
