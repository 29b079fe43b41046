"""Everything mode: proposals for all objects of a frame, found unit by unit, accepted or rejected by a person."""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

import torch

from masklet.predictors.automatic_mask_generator import AutomaticMaskGenerator
from masklet.prompts.prompt import Prompt
from masklet.runtimes.candidates import candidates_above
from masklet.server.acts import act
from masklet.server.commands import Accept, Everything, Reject
from masklet.server.fairness import Urgency
from masklet.server.handling import Handling
from masklet.server.image_answers import entries_of
from masklet.server.item_records import ItemRecords, add_object, add_prompt, keep_answer
from masklet.server.job import Job
from masklet.server.open_items import OpenItem
from masklet.server.packets import Entry, Flag, Kind, Packet, State
from masklet.server.problems import unusable
from masklet.server.replies import Reply
from masklet.server.rows import Proposal
from masklet.server.scheduler import Device, UnitKind
from masklet.server.tracking_job import publisher_of


class UnitRuntime:
    """A runtime of which every call of the network is a unit of its own in the lane of steps.

    Args:
        runtime: the network.
        device: where it runs.
        user: whose units they are.
    """

    def __init__(self, runtime: Any, device: Device, user: str) -> None:
        self._runtime, self._device, self._user = runtime, device, user

    def __getattr__(self, name: str) -> Any:
        return getattr(self._runtime, name)

    def encode_image(self, *arguments: Any, **options: Any) -> Any:
        """Do as the runtime does."""
        return self._unit("encode", self._runtime.encode_image, *arguments, **options)

    def decode(self, *arguments: Any, **options: Any) -> Any:
        """Do as the runtime does."""
        return self._unit("decode", self._runtime.decode, *arguments, **options)

    def decode_above(self, *arguments: Any, **options: Any) -> Any:
        """Return the candidates of one unit, whether or not the runtime has a verb for them."""
        return self._unit("decode", candidates_above, self._runtime, *arguments, **options)

    def _unit(self, kind: UnitKind, verb: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        def work() -> Any:
            with torch.inference_mode():  # which each thread enters for itself
                return verb(*arguments, **options)

        self._device.count(kind)
        return self._device.steps.run(self._user, Urgency.BACKGROUND, work)


class EverythingWork:
    """Proposes all objects of a frame.

    Args:
        item: of the frame.
        user: who asked.
        command: for what.
    """

    def __init__(self, item: OpenItem, user: str, command: Everything) -> None:
        self._item, self._command = item, command
        model = item.model
        runtime: Any = UnitRuntime(model.tracker.runtime, model.device, user)
        asked = {"points_per_side": command.grid, "pred_iou_thresh": command.min_score}
        asked["min_mask_region_area"] = command.min_area
        options: Any = {name: value for name, value in asked.items() if value is not None}
        self._generator = AutomaticMaskGenerator(runtime, model.tracker.processor, **options)

    def run(self, job: Job) -> None:
        """Find the proposals and send them."""

        def progress(done: int, total: int) -> None:
            job.advance(done, total)
            if job.is_cancelled:
                raise _CancelledError

        frame, item = self._command.frame, self._item
        try:
            found = self._generator.generate(item.reader()[frame], progress=progress)
        except _CancelledError:
            return
        numbers = reserved(item.records, len(found))
        entries = entries_of(found, numbers, State.PROVISIONAL) if numbers else []
        keep_proposals(item.records, frame, entries)
        height, width = item.size()
        item.channel.publish(
            Packet(Kind.EVERYTHING, frame, width, height, tuple(entries), job=job.number, flags=Flag.LAST)
        )


class _CancelledError(Exception):
    """The job was cancelled."""


def propose(handling: Handling, command: Everything) -> Reply:
    """Start a job that proposes all objects of a frame."""
    item = handling.item
    item.check_frame(command.frame)
    work = EverythingWork(item, handling.user, command)
    job = handling.jobs.start(handling.user, item.project, "everything", work, item.id, publisher_of(item))
    return handling.reply(job=job.message())


def accept(handling: Handling, command: Accept) -> Reply:
    """Make proposals objects, all in one act."""
    item, records = handling.item, handling.item.records
    with item.acting:
        proposals = _known(handling, command)
        with act(records.database, records.key, "accept", command.if_revision) as now:
            numbers: list[int] = []
            kept: dict[int, list[Entry]] = {}
            for each in proposals:
                most = handling.limits.objects_per_item
                number = add_object(now, None, command.class_name, None, most=most)
                given = Prompt(mask=each.entry.mask.mask(*item.size()))
                add_prompt(now, number, each.frame, given, keep=False, corrects=False)
                _, entry = keep_answer(now, number, each.frame, each.entry.showing(State.ANSWERED))
                kept.setdefault(each.frame, []).append(entry)
                numbers.append(number)
            drop_proposals(now.connection, records.key, command.proposals)
        for frame, entries in kept.items():
            handling.send(Kind.ANSWER, frame, entries)
    handling.publish(ev="objects", revision=now.revision, objects=numbers)
    return handling.reply(revision=now.revision, objects=numbers)


def reject(handling: Handling, command: Reject) -> Reply:
    """Drop proposals."""
    with handling.item.acting:
        _known(handling, command)
        with handling.item.records.database.writing() as connection:
            drop_proposals(connection, handling.item.records.key, command.proposals)
    return handling.reply(objects=[])


def reserved(records: ItemRecords, count: int) -> list[int]:
    """Return numbers for proposals that no other of the item had."""
    with records.database.writing() as connection:
        (first,) = connection.execute("SELECT next_proposal FROM item WHERE key=?", (records.key,)).fetchone()
        connection.execute("UPDATE item SET next_proposal=? WHERE key=?", (first + count, records.key))
    return list(range(first, first + count))


def keep_proposals(records: ItemRecords, frame: int, entries: Sequence[Entry]) -> None:
    """Store proposals in the place of those that are open on the frame."""
    masks = [(each.object, frame, each.score, each.mask) for each in entries]
    rows = [
        (records.key, *about, mask.area, mask.x, mask.y, mask.width, mask.height, mask.runs) for *about, mask in masks
    ]
    query = "INSERT INTO proposal(item, number, frame, score, area, x, y, width, height, runs)"
    with records.database.writing() as connection:
        connection.execute("DELETE FROM proposal WHERE item=? AND frame=?", (records.key, frame))
        connection.executemany(f"{query} VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)


def drop_proposals(connection: sqlite3.Connection, item: int, numbers: Sequence[int]) -> None:
    """Remove proposals; within an act they come back by undoing it."""
    rows = [(item, number) for number in numbers]
    connection.executemany("DELETE FROM proposal WHERE item=? AND number=?", rows)


def _known(handling: Handling, command: Accept | Reject) -> list[Proposal]:
    proposals = {each.entry.object: each for each in handling.item.records.proposals()}
    if missing := [number for number in command.proposals if number not in proposals]:
        raise unusable(f"There is no proposal {missing[0]}.", "proposals")
    return [proposals[number] for number in dict.fromkeys(command.proposals)]
