"""From a command to what answers it."""

import sqlite3
from collections.abc import Callable
from functools import partial
from typing import Any

from pydantic import ValidationError

from masklet.errors import InvalidInputError, UnreadableImageError, UnreadableVideoError
from masklet.server import everything, object_commands, prompt_commands
from masklet.server.commands import COMMANDS, Cancel, Command, Finish, Hello, Track
from masklet.server.fairness import Urgency
from masklet.server.handling import Handling
from masklet.server.job import Job
from masklet.server.live_feed import end_stream
from masklet.server.problems import Problem, conflict, of_full_disk, of_validation, unusable
from masklet.server.replies import ErrorMessage, Reply
from masklet.server.tracking_job import TrackingWork, publisher_of

WITHOUT_CHANGE = ("hello", "preview", "candidates", "segment", "look")


def parsed(text: str | bytes) -> Command:
    """Return the command that JSON describes; Problem for anything else."""
    try:
        return COMMANDS.validate_json(text)
    except ValidationError as error:
        raise of_validation(error.errors(include_url=False, include_input=False)) from error


def handled(handling: Handling, command: Command) -> Reply:
    """Answer a command; what cannot be done is a reply, too.

    Problem, InvalidInputError and the like are answered; only a fault is raised.
    """
    try:
        return answered(handling, command)
    except Problem as problem:
        return Reply(re=handling.n, ok=False, error=ErrorMessage(**problem.to_message()))
    except (InvalidInputError, UnreadableImageError, UnreadableVideoError) as error:
        return Reply(
            re=handling.n, ok=False, error=ErrorMessage(code="unusable", message=handling.item.project.told(error))
        )
    except (OSError, sqlite3.OperationalError) as error:
        if (full := of_full_disk(error)) is None:
            raise
        return Reply(re=handling.n, ok=False, error=ErrorMessage(**full.to_message()))


def answered(handling: Handling, command: Command) -> Reply:
    """Answer a command; raises what `handled` answers."""
    return _HANDLERS[command.do](handling, command)


def _hello(handling: Handling, command: Hello) -> Reply:
    item = handling.item
    jobs = handling.jobs.of_item(item.project, item.id)
    is_resync: bool | None = None
    if handling.listener is not None:
        missed = item.channel.listen(handling.listener, command.since)
        is_resync = missed.is_resync or None
        handling.listener.receive(missed.news)
    message = item.message()
    following = item.live().next if item.row().is_live else None
    return handling.reply(item=message, revision=message.revision, jobs=jobs, resync=is_resync, frame=following)


def _track(handling: Handling, command: Track) -> Reply:
    item = handling.item
    if item.is_image:
        raise unusable("An image is not tracked.")
    item.check_frame(0)
    if handling.jobs.running(item.id):
        raise conflict("A job of this item is running already.")
    if not item.records.prompts():
        raise unusable("No object has a prompt yet; add one first.", "objects")
    work = TrackingWork(item, handling.user, command)
    job = handling.jobs.start(handling.user, item.project, "track", work, item.id, publisher_of(item))
    return handling.reply(job=job.message(), revision=item.row().revision)


def _cancel(handling: Handling, command: Cancel) -> Reply:
    job = handling.jobs.find(handling.user, command.job)
    if isinstance(job, Job):
        handling.jobs.cancel(job)
        return handling.reply(job=job.message())
    return handling.reply(job=job)


def _finish(handling: Handling, command: Finish) -> Reply:
    item = handling.item
    with item.acting:
        item.live()
        item.model.device.steps.run(handling.user, Urgency.PERSON, partial(end_stream, item, handling.listener))
    message = item.message()
    return handling.reply(item=message, revision=message.revision)


_HANDLERS: dict[str, Callable[[Handling, Any], Reply]] = {
    "hello": _hello,
    "prompt": prompt_commands.prompt,
    "preview": prompt_commands.preview,
    "candidates": prompt_commands.candidates,
    "choose": prompt_commands.choose,
    "paint": prompt_commands.paint,
    "clear": prompt_commands.clear,
    "segment": prompt_commands.segment,
    "look": prompt_commands.look,
    "object": object_commands.edit,
    "add": object_commands.add,
    "remove": object_commands.remove,
    "merge": object_commands.merge,
    "split": object_commands.split,
    "swap": object_commands.swap,
    "absent": object_commands.absent,
    "review": object_commands.review,
    "undo": object_commands.undo,
    "redo": object_commands.redo,
    "track": _track,
    "cancel": _cancel,
    "finish": _finish,
    "everything": everything.propose,
    "accept": everything.accept,
    "reject": everything.reject,
}
