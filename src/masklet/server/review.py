"""Where a person should look: stops found by stored numbers alone."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from masklet.server.packets import State
from masklet.server.rows import StoredMask

Size = tuple[int, int]
Marks = Mapping[tuple[int, int], tuple[int, Literal["ok", "flag"]]]
"""By object and frame the run that was looked at, and the verdict."""

MOST_STOPS, APART = 20, 10
LOW_SCORE, SCORE_DROP, AREA_CHANGE, JUMP = 0.5, 0.15, 0.25, 0.15
WEIGHTS = {
    "flagged": 10.0,
    "lost": 3.0,
    "back": 2.5,
    "score drop": 2.0,
    "low score": 1.5,
    "area": 1.5,
    "jump": 1.5,
    "seam": 1.0,
    "overlap": 1.0,
    "pieces": 0.75,
    "border": 0.5,
}


@dataclass(frozen=True)
class Stop:
    """A frame of an object that is worth a look, why, and what a person thought of the mask that shows."""

    object: int
    frame: int
    weight: float
    reasons: tuple[str, ...]
    verdict: Literal["ok", "flag"] | None = None


def stops_of(
    stats: Sequence[StoredMask],
    prompts: Collection[tuple[int, int]],
    marks: Marks,
    size: Size,
    overlapped: Collection[tuple[int, int]] = (),
) -> list[Stop]:
    """Return the stops of all objects, worst first: at most 20 an object, none within 10 frames of a worse one.

    Args:
        stats: the masks that show, without runs, by frame and object.
        prompts: (object, frame) of all prompts; they are no stops unless flagged.
        marks: verdicts; "ok" holds as long as the mask is the one that was looked at.
        size: (height, width) of the frames.
        overlapped: (object, frame) of all masks that overlap with another one; where that begins is a stop.
    """
    by_object: dict[int, list[StoredMask]] = {}
    for each in stats:
        by_object.setdefault(each.object, []).append(each)
    begins = {(number, frame) for number, frame in overlapped if (number, frame - 1) not in overlapped}
    found = (_stops_of_object(own, prompts, marks, size, begins) for own in by_object.values())
    kept = [stop for stops in found for stop in _spread(stops)]
    return sorted(kept, key=lambda stop: (-stop.weight, stop.frame, stop.object))


def _stops_of_object(
    own: Sequence[StoredMask],
    prompts: Collection[tuple[int, int]],
    marks: Marks,
    size: Size,
    overlapped: Collection[tuple[int, int]],
) -> list[Stop]:
    stops = []
    by_frame = {each.frame: each for each in own}
    for each in own:
        before = by_frame.get(each.frame - 1)
        earlier = None if before is None else by_frame.get(each.frame - 2)
        run, mark = marks.get((each.object, each.frame), (0, None))
        verdict = None if mark == "ok" and run != each.run else mark
        place = each.object, each.frame
        reasons = []
        if place not in prompts and each.state is not State.ABSENT:
            reasons = reasons_for(each, before, earlier, size) + ["overlap"] * (place in overlapped)
        if verdict == "flag":
            reasons.insert(0, "flagged")
        if reasons:
            weight = sum(WEIGHTS[reason] for reason in reasons)
            stops.append(Stop(each.object, each.frame, weight, tuple(reasons), verdict))
    return stops


def reasons_for(now: StoredMask, before: StoredMask | None, earlier: StoredMask | None, size: Size) -> list[str]:
    """Return why the mask of an object is worth a look, by what it was one and two frames before."""
    found = ["low score"] if now.score < LOW_SCORE and now.presence > 0 else []
    if before is None:
        return found
    if (now.presence > 0) is not (before.presence > 0):
        found.append("back" if now.presence > 0 else "lost")
    if before.score - now.score >= SCORE_DROP and now.presence > 0 and before.state is not State.ANSWERED:
        found.append("score drop")
    larger = max(now.mask.area, before.mask.area)
    if now.mask.area and before.mask.area and abs(now.mask.area - before.mask.area) >= AREA_CHANGE * larger:
        found.append("area")
    if now.run != before.run and before.state is not State.ANSWERED and now.state is not State.ANSWERED:
        found.append("seam")
    if _touches(now, size) is not _touches(before, size):
        found.append("border")
    if before.pieces and now.pieces and now.pieces != before.pieces:
        found.append("pieces")
    if earlier is not None and _jumps(now, before, earlier):
        found.append("jump")
    return found


def _touches(each: StoredMask, size: Size) -> bool:
    mask = each.mask
    ends = mask.x + mask.width >= size[1] or mask.y + mask.height >= size[0]
    return bool(mask.width) and (mask.x == 0 or mask.y == 0 or ends)


def _jumps(now: StoredMask, before: StoredMask, earlier: StoredMask) -> bool:
    """Return whether the box is off the place that its movement predicts, by a share of its diagonal."""
    if not (now.mask.width and before.mask.width and earlier.mask.width):
        return False
    places = [
        (each.mask.x + each.mask.width / 2, each.mask.y + each.mask.height / 2) for each in (now, before, earlier)
    ]
    (x, y), (x1, y1), (x2, y2) = places
    off = ((x - 2 * x1 + x2) ** 2 + (y - 2 * y1 + y2) ** 2) ** 0.5
    return off > JUMP * (now.mask.width**2 + now.mask.height**2) ** 0.5 + 2


def _spread(stops: Sequence[Stop]) -> list[Stop]:
    """Return the worst stops of one object that are apart from each other."""
    kept: list[Stop] = []
    for stop in sorted(stops, key=lambda each: (-each.weight, each.frame)):
        if len(kept) < MOST_STOPS and all(abs(stop.frame - other.frame) > APART for other in kept):
            kept.append(stop)
    return kept
