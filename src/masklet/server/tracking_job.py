"""Tracking as a job of the server: step by step through a plan, stored as it goes, changed by clicks meanwhile."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from queue import Empty
from typing import TypeVar

from masklet.masks.geometry import Mask
from masklet.server.commands import Track
from masklet.server.fairness import Urgency
from masklet.server.job import Job
from masklet.server.open_items import OpenItem
from masklet.server.packets import Entry, State
from masklet.server.problems import unusable
from masklet.server.replies import Event
from masklet.server.rows import StoredMask
from masklet.server.spans import Spans, spans_of, within
from masklet.server.tracked_masks import Alike, Commits
from masklet.server.tracking_plan import ObjectFrames, Pass, joins, planned
from masklet.tracking.frame_order import Direction

SAVE_SECONDS = 30.0
_NO_RUN = 2**63
_TRACKED = (State.TRACKED, State.STALE)
Result = TypeVar("Result")


class TrackingWork:
    """Tracks objects of an item; see `masklet.server.tracking_plan` for what is tracked.

    Args:
        item: of the objects.
        user: who asked.
        command: for what.
    """

    def __init__(self, item: OpenItem, user: str, command: Track) -> None:
        self._item, self._user, self._command = item, user, command
        self._records = item.records
        self._ranges: dict[int, Spans] = {}
        self._done = self._total = 0
        self._next_save = time.monotonic() + SAVE_SECONDS

    def run(self, job: Job) -> None:
        """Track; Problem if there is nothing to track."""
        passes = self._plan()
        commits = Commits(self._item, job, sorted({number for each in passes for number in each.objects}))
        self._total = sum(len(each.frames) for each in passes)
        job.advance(0, self._total)
        try:
            while passes and not job.is_cancelled:
                passes = [*self._pass(job, commits, passes[0]), *passes[1:]]
        finally:
            commits.finish()
            self._in_steps(self._save)

    def _plan(self) -> list[Pass]:
        known = self._known()
        command = self._command
        asked = list(known) if isinstance(command.objects, str) else command.objects
        for number in asked:
            self._records.known_object(number)
            if number not in known:
                raise unusable(f"Object {number} has no prompt to track from.", "objects")
        count = self._item.row().frames or 0
        first, last = command.frames or (0, count - 1)
        if not 0 <= first <= last < count:
            raise unusable(f"The frames to track are within 0 and {count - 1}.", "frames")
        chosen = {number: known[number] for number in asked}
        if command.full:
            chosen = {number: ObjectFrames(each.prompts, [], is_new=True) for number, each in chosen.items()}
        passes = planned(chosen, range(first, last + 1), Direction(command.direction))
        self._in_steps(lambda: self._prepare(list(chosen)))
        return passes

    def _known(self) -> dict[int, ObjectFrames]:
        masks: dict[int, list[StoredMask]] = {}
        for each in self._records.stats():
            masks.setdefault(each.object, []).append(each)
        prompts: dict[int, set[int]] = {}
        for prompt in self._records.prompts():
            prompts.setdefault(prompt.object, set()).add(prompt.frame)
        found = {}
        for row in self._records.objects():
            if (number := row.object) in prompts and not row.locked:
                own = masks.get(number, [])
                stale = spans_of(mask.frame for mask in own if mask.state is State.STALE)
                is_new = not any(mask.state in _TRACKED for mask in own)
                frames = spans_of(mask.frame for mask in own)
                runs = {mask.frame: mask.run for mask in own}
                changed = {
                    frame
                    for frame in prompts[number]
                    if runs.get(frame, 0) > min(runs.get(frame - 1, _NO_RUN), runs.get(frame + 1, _NO_RUN))
                }
                found[number] = ObjectFrames(sorted(prompts[number]), frames, stale, changed, is_new)
        return found

    def _prepare(self, objects: Sequence[int]) -> None:
        session = self._item.session()
        session.follow(objects)
        session.begin_together(objects)

    # -- passes -------------------------------------------------------------------------------------------------------

    def _pass(self, job: Job, commits: Commits, current: Pass) -> list[Pass]:
        """Go through a pass; return what is left of it, with what clicks have added meanwhile."""
        self._ranges = {number: self._records.spans("range", number) for number in current.objects}
        self._go_by_edits(job, current)
        self._catch_up(job, current)
        alike = Alike(self._records, current) if current.is_correction else None
        commits.begin_run(current)
        for frame in current:
            if added := self._added(job, current, frame):
                commits.flush()
                self._total += sum(len(each.frames) for each in added)
                return [*added, current.from_frame(frame)]
            if job.is_cancelled:
                break
            self._note_returns(job, current, frame)
            found = self._step(current, frame)
            kept = [(frame, found)] if alike is None else alike.take(frame, found)
            self._done += 1
            self._save_if_due()
            for step in kept:
                commits.add(*step)
            commits.flush_if_due(self._done, self._total)
            if alike is not None and alike.is_over:
                self._total -= len(current.frames) - 1 - abs(frame - current.first)
                break
        commits.flush(self._done, self._total)
        if current.is_correction and not job.is_cancelled:
            commits.settle(current)
        return []

    def _note_returns(self, job: Job, current: Pass, frame: int) -> None:
        """Note by what an object is found again after it was absent."""
        before = frame + (1 if current.is_backward else -1)
        for number in current.objects:
            spans = self._ranges[number]
            if within(spans, before) and not within(spans, frame):
                nearest = min(self._prompted(number), key=lambda each: abs(each - frame))
                note = f"object {number} comes back on frame {frame}, by its prompt on frame {nearest}"
                job.notes.append(f"{note} and its masks before it was absent")

    def _save(self) -> None:
        self._item.session().save()

    def _save_if_due(self) -> None:
        if time.monotonic() >= self._next_save:
            self._in_steps(self._save)
            self._next_save = time.monotonic() + SAVE_SECONDS

    def _step(self, current: Pass, frame: int) -> list[Entry]:
        there = [number for number in current.objects if not within(self._ranges[number], frame)]
        if not there:
            return []
        session = self._item.session

        def work() -> list[Entry]:
            return session().step(frame, there, is_backward=current.is_backward)

        return self._in_steps(work)

    def _go_by_edits(self, job: Job, current: Pass) -> None:
        """Let objects whose last mask before the pass was given to them by a person go on from that."""
        frame = current.first + (1 if current.is_backward else -1)
        for number in current.objects if frame >= 0 else ():
            stored = self._records.mask(number, frame)
            if stored is None or not stored.mask.width or self._records.run_kind(stored.run) != "edit":
                continue
            mask = stored.mask.mask(*self._item.size())
            self._in_steps(partial(self._condition, number, frame, mask))
            job.notes.append(f"object {number} goes on from its mask on frame {frame}")

    def _condition(self, number: int, frame: int, mask: Mask) -> None:
        self._item.session().condition(number, frame, mask)

    def _catch_up(self, job: Job, current: Pass) -> None:
        """Track what the session forgot, say in a crash, up to where the pass begins; its masks are stored already."""
        step = -1 if current.is_backward else 1
        begins = {number: self._forgotten_from(number, current.first, step) for number in current.objects}
        begins = {number: begin for number, begin in begins.items() if begin != current.first}
        if not begins:
            return
        job.notes.append("tracking again what the session had not kept")
        begin = max(begins.values()) if current.is_backward else min(begins.values())
        for frame in range(begin, current.first, step):
            due = tuple(number for number, start in begins.items() if (frame - start) * step >= 0)
            if not job.is_cancelled:
                self._step(replace(current, objects=due), frame)

    def _forgotten_from(self, number: int, first: int, step: int) -> int:
        """Return the frame from which the memory of an object is missing, before a pass that begins at `first`."""
        prompted, begin = self._prompted(number), first
        behind = (0, first - 1) if step > 0 else (first + 1, self._item.row().frames or 0)
        stored = {each.frame for each in self._records.stats([number], *behind)}

        def work() -> int:
            session, frame = self._item.session(), begin - step
            while frame in stored and frame not in prompted and not session.knows(number, frame):
                frame -= step
            return frame + step

        return self._in_steps(work)

    def _prompted(self, number: int) -> set[int]:
        return {row.frame for row in self._records.prompts(number)}

    def _added(self, job: Job, current: Pass, front: int) -> list[Pass]:
        """Return the passes by which objects with new prompts behind the front catch up."""
        added: list[Pass] = []
        while True:
            try:
                number, frame = job.prompted.get_nowait()
            except Empty:
                return added
            if (behind := joins(current, front, number, frame)) is not None:
                added.append(behind)
            self._in_steps(partial(self._follow, number))

    def _follow(self, number: int) -> None:
        self._item.session().follow([number])

    def _in_steps(self, work: Callable[[], Result]) -> Result:
        return self._item.model.device.steps.run(self._user, Urgency.TRACK, work)


def publisher_of(item: OpenItem) -> Callable[[Job], None]:
    """Return what publishes the progress of a job to those who have its item open."""
    return lambda job: item.channel.publish(Event(ev="job", seq=0, job=job.message()))
