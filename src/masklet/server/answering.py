"""The model's answer to a prompt: of the session in a video, of the frame alone in an image."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import TypeVar

from masklet.prompts.prompt import Prompt
from masklet.server.fairness import Urgency
from masklet.server.handling import Handling
from masklet.server.image_answers import entries_of
from masklet.server.packets import Entry, Flag, Kind, State
from masklet.server.problems import unusable
from masklet.server.scheduler import timed

Result = TypeVar("Result")


@dataclass(frozen=True)
class Answer:
    """A mask that is still to be stored.

    Attributes:
        entry: the mask.
        is_correction: whether the frame was tracked before.
        remember: to be called with the numbers of the run and of the prompt once they are stored.
    """

    entry: Entry
    is_correction: bool
    remember: Callable[[int, int], None]


def answer_of(handling: Handling, object_id: int, frame: int, given: Prompt, *, keep: bool) -> Answer:
    """Return the mask of an object on a frame after one more prompt; InvalidInputError if it does not fit."""
    if handling.item.is_image:
        return _of_image(handling, object_id, frame, given, keep=keep)
    if handling.item.row().is_live:
        return _of_stream(handling, object_id, frame, given, keep=keep)
    return _of_video(handling, object_id, frame, given, keep=keep)


def candidates_of(handling: Handling, object_id: int, frame: int) -> list[Entry]:
    """Return three readings of an object's prompt on a frame, best first; Problem if it has none there."""
    item = handling.item
    item.check_frame(frame)
    prompts = _prompts(handling, object_id, frame)
    if not prompts:
        raise unusable(f"Object {object_id} has no prompt on frame {frame}.", "frame")

    def answer() -> list[Entry]:
        item.model.device.count("decode")
        found = item.model.answers.candidates(item.encoded(frame), reduce(Prompt.extended, prompts))
        return entries_of(found, [object_id], State.PROVISIONAL)

    return answered(handling, answer)


def answered(handling: Handling, work: Callable[[], Result]) -> Result:
    """Run a decode in the lane of answers."""
    with timed(handling.milliseconds, "model"):
        return handling.item.model.device.answers.run(handling.user, Urgency.PERSON, work)


def _of_image(handling: Handling, object_id: int, frame: int, given: Prompt, *, keep: bool) -> Answer:
    item = handling.item
    prompts = [*(_prompts(handling, object_id, frame) if keep else []), given]
    shown = item.records.mask(object_id, frame) if len(prompts) > 1 else None

    def decode() -> Answer:
        item.model.device.count("decode")
        whole = reduce(Prompt.extended, prompts)
        found = item.model.answers.answer(item.encoded(frame), whole, None if shown is None else shown.run)
        (entry,) = entries_of(found, [object_id], State.ANSWERED)
        return Answer(entry, False, lambda run, _: item.model.answers.remember(run, found))

    return answered(handling, decode)


def _of_video(handling: Handling, object_id: int, frame: int, given: Prompt, *, keep: bool) -> Answer:
    item, device = handling.item, handling.item.model.device
    if device.steps.is_busy:
        _send_provisional(handling, object_id, frame, given, keep=keep)

    def step() -> Answer:
        session = item.session()
        entry, is_correction = session.answer(object_id, frame, given, keep=keep)
        return Answer(entry, is_correction, lambda _, prompt_id: session.stored(object_id, frame, prompt_id))

    with timed(handling.milliseconds, "model"):
        return device.steps.run(handling.user, Urgency.PERSON, step)


def _of_stream(handling: Handling, object_id: int, frame: int, given: Prompt, *, keep: bool) -> Answer:
    item = handling.item

    def step() -> Answer:
        item.model.device.count("decode")
        return Answer(item.live().answer(object_id, frame, given, keep=keep), False, lambda run, prompt_id: None)

    with timed(handling.milliseconds, "model"):
        return item.model.device.steps.run(handling.user, Urgency.PERSON, step)


def _send_provisional(handling: Handling, object_id: int, frame: int, given: Prompt, *, keep: bool) -> None:
    """Answer at once by the frame alone, while the session's answer waits for the step at hand."""
    item = handling.item
    prompts = [*(_prompts(handling, object_id, frame) if keep else []), given]

    def decode() -> list[Entry]:
        item.model.device.count("decode")
        found = item.model.answers.answer(item.encoded(frame), reduce(Prompt.extended, prompts))
        return entries_of(found, [object_id], State.PROVISIONAL)

    with timed(handling.milliseconds, "provisional"):
        found = item.model.device.answers.run(handling.user, Urgency.PERSON, decode)
    handling.send(Kind.ANSWER, frame, found, Flag.MORE)


def _prompts(handling: Handling, object_id: int, frame: int) -> list[Prompt]:
    return [row.prompt for row in handling.item.records.prompts(object_id) if row.frame == frame]
