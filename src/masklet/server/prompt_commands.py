"""Commands about masks of objects on a frame: prompts, candidates, the brush, and looking."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from masklet.errors import InvalidInputError
from masklet.masks.geometry import Mask
from masklet.masks.run_length import decode_segmentation
from masklet.prompts.prompt import Prompt
from masklet.server.acts import Act, act
from masklet.server.answering import answer_of, answered, candidates_of
from masklet.server.commands import Candidates, Choose, Clear, Look, Paint, Preview, Prompted, Segment
from masklet.server.fairness import Urgency
from masklet.server.handling import Handling
from masklet.server.image_answers import entries_of
from masklet.server.item_records import (
    ItemRecords,
    add_object,
    add_prompt,
    forget_prompts,
    hide_answers,
    keep_answer,
    set_spans,
)
from masklet.server.messages import RunLengthMessage
from masklet.server.open_items import OpenItem
from masklet.server.packets import Entry, Kind, PackedMask, State
from masklet.server.problems import Problem, unusable
from masklet.server.replies import Reply, StaleFrames
from masklet.server.scheduler import timed
from masklet.server.spans import joined, without

CERTAIN_PRESENCE = 10.0
"""The object-score logit of what a person drew."""


def prompt(handling: Handling, command: Prompted) -> Reply:
    """Add a prompt, and answer with the mask of its object on the frame."""
    item, records = handling.item, handling.item.records
    if not item.row().is_live:
        item.check_frame(command.frame)
    given = _prompt_of(handling, command)
    with item.acting:
        if command.object:
            records.known_object(command.object, is_changed=True)
        object_id = command.object or item.row().next_object
        keep = command.keep and given.mask is None
        answer = answer_of(handling, object_id, command.frame, given, keep=keep)
        with act(records.database, records.key, "prompt", command.if_revision) as now:
            if not command.object:
                object_id = add_object(now, most=handling.limits.objects_per_item)
            prompt_id = add_prompt(now, object_id, command.frame, given, keep=keep, corrects=answer.is_correction)
            run, entry = keep_answer(now, object_id, command.frame, answer.entry)
            stale = mark_stale(now, records, object_id, command.frame)
        answer.remember(run, prompt_id)
        handling.send(Kind.ANSWER, command.frame, [entry])
    return _told(handling, now, object_id, command.frame, stale)


def preview(handling: Handling, command: Preview) -> Reply:
    """Answer what a click or a box would give on a frame; nothing is stored."""
    item = handling.item
    item.check_frame(command.frame)
    points = [] if command.box is not None else [(command.x, command.y)]
    given = Prompt(points, None, command.box)
    given.check_in_image(*item.size())

    def answer() -> list[Entry]:
        item.model.device.count("decode")
        found = item.model.answers.answer(item.encoded(command.frame), given)
        return entries_of(found, [command.object or 0], State.PROVISIONAL)

    handling.send(Kind.PREVIEW, command.frame, answered(handling, answer))
    return handling.reply()


def candidates(handling: Handling, command: Candidates) -> Reply:
    """Answer with three readings of an object's prompt on a frame."""
    handling.item.records.known_object(command.object)
    found = candidates_of(handling, command.object, command.frame)
    handling.send(Kind.CANDIDATES, command.frame, found)
    return handling.reply(object=command.object)


def choose(handling: Handling, command: Choose) -> Reply:
    """Take one of the candidates as the mask of the object on the frame."""
    records = handling.item.records
    with handling.item.acting:
        records.known_object(command.object, is_changed=True)
        entry = candidates_of(handling, command.object, command.frame)[command.candidate]
        return _set_mask(handling, command, entry, State.ANSWERED)


def paint(handling: Handling, command: Paint) -> Reply:
    """Add to the mask of an object on a frame, and take away from it."""
    item, records = handling.item, handling.item.records
    item.check_frame(command.frame)
    height, width = item.size()
    with item.acting:
        records.known_object(command.object, is_changed=True)
        stored = records.mask(command.object, command.frame)
        mask = np.zeros((height, width), dtype=bool) if stored is None else stored.mask.mask(height, width)
        added, taken = (_mask_of(each, height, width) for each in (command.add, command.sub))
        painted = PackedMask.of((mask | added) & ~taken)
        entry = Entry(command.object, painted, 1.0, CERTAIN_PRESENCE if painted.width else -CERTAIN_PRESENCE)
        return _set_mask(handling, command, entry, State.EDITED)


def clear(handling: Handling, command: Clear) -> Reply:
    """Forget the prompts of an object on a frame; what was tracked there before shows again."""
    records = handling.item.records
    handling.item.check_frame(command.frame)
    with handling.item.acting:
        records.known_object(command.object, is_changed=True)
        if not any(row.frame == command.frame for row in records.prompts(command.object)):
            raise unusable(f"Object {command.object} has no prompt on frame {command.frame}.", "frame")
        with act(records.database, records.key, "clear", command.if_revision) as now:
            forget_prompts(now, command.object, command.frame)
            hide_answers(now, command.object, command.frame)
            stale = mark_stale(now, records, command.object, command.frame, is_frame_stale=True)
        shown = records.mask(command.object, command.frame)
        empty = Entry(command.object, PackedMask(), 0.0, 0.0, now.revision, State.NONE)
        handling.send(Kind.ANSWER, command.frame, [empty if shown is None else shown.entry()])
    return _told(handling, now, command.object, command.frame, stale)


def segment(handling: Handling, command: Segment) -> Reply:
    """Answer with the masks of objects on a frame; those without one are segmented, and not stored."""
    item, records = handling.item, handling.item.records
    item.check_frame(command.frame)
    prompted = {row.object for row in records.prompts()}
    asked = prompted if command.objects is None else set(command.objects)
    stored = {each.object: each.entry() for each in records.masks(asked, command.frame, command.frame)}
    missing = sorted(asked & prompted - stored.keys())

    def answer() -> list[Entry]:
        session = item.session()
        session.follow(missing)
        return session.segment(command.frame, missing)

    if missing:
        with timed(handling.milliseconds, "model"):
            found = item.model.device.steps.run(handling.user, Urgency.PERSON, answer)
        stored |= {each.object: each.showing(State.PROVISIONAL) for each in found}
    handling.send(Kind.PREVIEW, command.frame, [stored[number] for number in sorted(stored)])
    return handling.reply()


def look(handling: Handling, command: Look) -> Reply:
    """Encode the frame that a person looks at, so that the next click is answered at once; when idle, those after it.

    What is not encoded when the next look comes is left.
    """
    item = handling.item
    item.check_frame(command.frame)
    item.looked_at = command
    last = (item.ready().frames or 1) - 1
    for frame in range(command.frame, min(command.frame + command.ahead, last) + 1):
        urgency = Urgency.LOOK if frame == command.frame else Urgency.BACKGROUND
        if not item.model.features.has(item.id, frame):
            item.model.device.steps.submit(handling.user, urgency, partial(_encode_seen, item, frame, command))
    return handling.reply()


def _encode_seen(item: OpenItem, frame: int, command: Look) -> None:
    if item.looked_at is command:
        item.encoded(frame)


# -- within -----------------------------------------------------------------------------------------------------------


def mark_stale(
    now: Act, records: ItemRecords, object_id: int, frame: int, *, is_frame_stale: bool = False
) -> list[StaleFrames]:
    """Mark what was tracked around a changed frame, up to the prompts on either side, as older than the change."""
    prompted = sorted({row.frame for row in records.prompts(object_id)} - {frame})
    first = max((each + 1 for each in prompted if each < frame), default=0)
    last = min((each - 1 for each in prompted if each > frame), default=2**32)
    tracked = records.tracked_spans(object_id, first, last)
    if not is_frame_stale:
        tracked = without(tracked, [(frame, frame)])
    if not tracked:
        return []
    set_spans(now, "stale", object_id, joined([*records.spans("stale", object_id), *tracked]))
    return [StaleFrames(object=object_id, frames=tracked)]


def _prompt_of(handling: Handling, command: Prompted) -> Prompt:
    """Return the prompt of a command; Problem, naming the field, for what does not fit."""
    height, width = handling.item.size()
    if len(command.points) > handling.limits.points_per_prompt:
        raise unusable(f"A prompt has at most {handling.limits.points_per_prompt} points.", "points")
    for place, (x, y, _) in enumerate(command.points):
        if not (0 <= x <= width and 0 <= y <= height):
            detail = f"The point ({x:g}, {y:g}) is outside the frame of {width} x {height} pixels."
            raise Problem(422, "outside_frame", detail, f"points[{place}]")
    mask = None if command.mask is None else _mask_of(command.mask, height, width)
    points, labels = [each[:2] for each in command.points], [each[2] for each in command.points]
    given = Prompt(points, labels, command.box, mask)
    if given.is_empty:
        raise unusable("A prompt has points, a box or a mask.", "points")
    try:
        given.check_in_image(height, width)
    except InvalidInputError as error:
        raise Problem(422, "outside_frame", str(error), "box") from error
    return given


def _mask_of(given: RunLengthMessage | None, height: int, width: int) -> Mask:
    if given is None:
        return np.zeros((height, width), dtype=bool)
    return decode_segmentation({"size": list(given.size), "counts": given.counts}, height, width)


def _set_mask(handling: Handling, command: Choose | Paint, entry: Entry, state: State) -> Reply:
    """Store a mask as the prompt of its object on a frame."""
    item, records = handling.item, handling.item.records
    given = Prompt(mask=entry.mask.mask(*item.size()))
    with act(records.database, records.key, command.do, command.if_revision) as now:
        add_prompt(now, command.object, command.frame, given, keep=False, corrects=False)
        _, entry = keep_answer(now, command.object, command.frame, entry.showing(state))
        stale = mark_stale(now, records, command.object, command.frame)
    handling.send(Kind.ANSWER, command.frame, [entry])
    return _told(handling, now, command.object, command.frame, stale)


def _told(handling: Handling, now: Act, object_id: int, frame: int, stale: Sequence[StaleFrames]) -> Reply:
    """Tell running jobs and everybody else; return the reply."""
    for job in handling.jobs.running(handling.item.id):
        job.prompted.put((object_id, frame))
    handling.publish(ev="objects", revision=now.revision, objects=[object_id], frames=[(frame, frame)])
    return handling.reply(revision=now.revision, object=object_id, stale=list(stale))
