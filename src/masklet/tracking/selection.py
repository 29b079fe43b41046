"""Which frames a frame attends to: frame numbers in, frame numbers out (SAM 2 paper, section 4, "memory bank")."""

from collections.abc import Collection, Container, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Attended:
    """The frames whose memories one frame attends to.

    `spatial`: (frame, temporal position), the row of the temporal encoding that marks the memory.
    `pointers`: (frame, distance), the distance signed and in the direction of tracking.
    `pointer_span`: the distance at which positions of pointers reach 1 is `pointer_span` - 1.
    """

    spatial: tuple[tuple[int, int], ...]
    pointers: tuple[tuple[int, int], ...]
    pointer_span: int


def attended_frames(
    frame: int,
    conditioning: Collection[int],
    tracked: Container[int],
    *,
    num_maskmem: int,
    max_pointers: int,
    max_conditioning: int = -1,
    num_frames: int | None = None,
    reverse: bool = False,
    stride: int = 1,
) -> Attended:
    """Return which memories `frame` attends to.

    conditioning: the frames with prompts, in any order; they may lie on both sides of `frame`.
    tracked: the frames that were tracked; of a frame that is in both, only the conditioning memory counts.
    num_maskmem: temporal positions: conditioning frames share the last one, recent frames have the others; 0 is none.
    max_pointers: how many frames, this one included, object pointers reach back to.
    max_conditioning: at most so many conditioning frames, the nearest ones, with one from each side; -1 is all. The
        others count as tracked frames.
    num_frames: length of the video, None for a stream; short videos have a smaller span of pointers.
    reverse: frames are tracked from the last to the first.
    stride: beyond the last frame, memories are taken from frames that are multiples of it.
    """
    if num_maskmem == 0:
        return Attended((), (), 1)
    direction = -1 if reverse else 1
    selected = nearest_conditioning(frame, conditioning, max_conditioning)

    def is_recent(other: int) -> bool:
        return other not in selected and (other in tracked or other in conditioning)

    recent = enumerate(_frames_back(frame, num_maskmem - 1, direction, stride))
    spatial = [(other, num_maskmem - 1) for other in selected]
    spatial += [(other, position) for position, other in recent if is_recent(other)]

    span = max_pointers if num_frames is None else min(num_frames, max_pointers)
    distances = {other: (frame - other) * direction for other in selected}
    pointers = [(other, distance) for other, distance in distances.items() if distance >= 0]
    behind = ((frame - distance * direction, distance) for distance in range(1, span))
    pointers += [(other, distance) for other, distance in behind if is_recent(other)]
    return Attended(tuple(spatial), tuple(pointers), max(span, 2))


def nearest_conditioning(frame: int, conditioning: Collection[int], limit: int) -> Sequence[int]:
    """At most `limit` (-1: all) of the conditioning frames: the nearest on either side, then the nearest of all."""
    if limit < 0 or len(conditioning) <= limit:
        return list(conditioning)
    by_distance = sorted(conditioning, key=lambda other: (abs(other - frame), other))
    before = [other for other in by_distance if other < frame][:1]
    after = [other for other in by_distance if other >= frame][:1]
    chosen = before + after
    return (chosen + [other for other in by_distance if other not in chosen])[:limit]


def memory_reach(num_maskmem: int, stride: int = 1) -> int:
    """How many frames away the farthest spatial memory can be that is not of a conditioning frame."""
    return max((abs(other) for frame in range(stride) for other in _reach_from(frame, num_maskmem, stride)), default=0)


def _reach_from(frame: int, num_maskmem: int, stride: int) -> Iterator[int]:
    return (frame - other for other in _frames_back(frame, num_maskmem - 1, 1, stride))


def _frames_back(frame: int, count: int, direction: int, stride: int) -> Iterator[int]:
    """Yield the last frame, then the `count` - 1 nearest multiples of `stride` before it."""
    if count > 0:
        yield frame - direction
    second = frame - 2 * direction
    on_grid = second // stride * stride if direction > 0 else -(-second // stride) * stride
    for steps in range(count - 1):
        yield on_grid - steps * stride * direction
