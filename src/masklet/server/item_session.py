"""The tracking session of an item, which follows what is stored: prompts are applied when the model is needed next.

It can always be made anew from the database; the saved one spares tracking again what is known.
"""

import logging
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from masklet.committed_folder import FolderWriter
from masklet.errors import DamagedSessionError, InvalidInputError
from masklet.json_files import whole_number
from masklet.masks.geometry import Mask
from masklet.masks.segmentation import Segmentation
from masklet.media.video_reader import VideoReader
from masklet.predictors.tracked_video import TrackedVideo
from masklet.predictors.video_tracker import VideoTracker
from masklet.prompts.prompt import Prompt
from masklet.server.features import FeatureStore, ItemFeatures
from masklet.server.item_records import ItemRecords
from masklet.server.packets import Entry, PackedMask, State
from masklet.server.rows import ItemRow, PromptRow
from masklet.server.scheduler import Device
from masklet.tracking.retention import RetentionChoice, Spill
from masklet.tracking.saved_session import FILE, SavedSession, SessionWriter, commit_session, session_folder

FOLDER = "sessions"
_APPLIED = "prompts"  # beside the session: which prompts it has, by object and frame
Applied = dict[int, dict[int, list[int]]]
_NOT_STORED = -1


class ItemSession:
    """The state of the model in one item. Not for two threads at once: it is used in the lane `steps` only.

    Args:
        tracker: the model.
        item: whose session it is.
        records: what is stored of the item.
        reader: its frames.
        features: where features are kept.
        device: counts what the network does.
        folder: where the session is saved; None: nowhere.
        spill: where memories out of reach are put, where the item keeps them.
    """

    def __init__(
        self,
        tracker: VideoTracker,
        item: ItemRow,
        records: ItemRecords,
        reader: VideoReader,
        features: FeatureStore,
        device: Device,
        folder: Path | None = None,
        spill: Path | None = None,
    ) -> None:
        self._records, self._device, self._folder = records, device, folder
        self._applied: Applied = {}
        self._saving: tuple[FolderWriter, SessionWriter] | None = None
        retention: RetentionChoice = "window" if spill is None or item.retention == "window" else Spill(spill)
        self.tracked = self._resumed(tracker, reader, retention) or tracker.open(reader, retention=retention)
        self.tracked.session.frames.cache = ItemFeatures(features, item.id)

    def answer(self, object_id: int, frame: int, added: Prompt, *, keep: bool) -> tuple[Entry, bool]:
        """Return the mask of an object on a frame after one more prompt, and whether that corrects a tracked one.

        `stored` has to be called once the prompt is stored; otherwise it is dropped when the model is needed next.
        InvalidInputError if it does not fit.
        """
        self.follow([object_id])
        is_correction = self._is_tracked(object_id, frame)
        earlier = self._applied.setdefault(object_id, {}).get(frame, [])
        self.tracked.add(object_id, frame, added, keep_earlier=keep)
        self._applied[object_id][frame] = [*(earlier if keep else []), _NOT_STORED]
        return self.segment(frame, [object_id])[0], is_correction

    def stored(self, object_id: int, frame: int, prompt_id: int) -> None:
        """Take note of the number under which the last prompt of an object on a frame was stored."""
        applied = self._applied.get(object_id, {}).get(frame, [])
        if applied and applied[-1] == _NOT_STORED:
            applied[-1] = prompt_id

    def segment(self, frame: int, objects: Collection[int]) -> list[Entry]:
        """Return the masks of objects on a frame, as `TrackedVideo.segment` does."""
        self._device.count("decode", len(objects))
        return self._entries(frame, self.tracked.segment(frame, objects=objects), State.ANSWERED)

    def step(self, frame: int, objects: Collection[int], *, is_backward: bool) -> list[Entry]:
        """Track objects onto one frame, and return their masks."""
        direction = "backward" if is_backward else "forward"
        self._device.count("step", len(objects))
        ((_, found),) = self.tracked.track(direction, range(frame, frame + 1), objects=objects)
        return self._entries(frame, found, State.TRACKED)

    def knows(self, object_id: int, frame: int) -> bool:
        """Return whether the memory of an object has a frame."""
        objects = self._objects([object_id])
        return any(frame in known for each in objects for known in (each.prompts, each.bank, each.bank.results))

    def condition(self, object_id: int, frame: int, mask: Mask) -> None:
        """Begin anew with an object, from its stored prompts and a mask that did not come of tracking it."""
        if any(frame in each.prompts for each in self._objects([object_id])):
            return
        if object_id in self.tracked.object_ids:
            self.tracked.remove(object_id)
        self._applied.pop(object_id, None)
        self.follow([object_id])
        self.tracked.add(object_id, frame, mask=mask)

    def follow(self, objects: Collection[int]) -> None:
        """Apply the stored prompts of objects that the session has not, and drop those that are gone."""
        for object_id in objects:
            wanted: dict[int, list[PromptRow]] = {}
            for row in self._records.prompts(object_id):
                wanted.setdefault(row.frame, []).append(row)
            known = self._applied.setdefault(object_id, {})
            for frame, rows in wanted.items():
                self._follow_frame(object_id, frame, rows, known.get(frame, []))
            for frame in [each for each in known if each not in wanted]:
                self._forget(object_id, frame)
            self._applied[object_id] = {frame: [row.id for row in rows] for frame, rows in wanted.items()}
        self._drop_removed()

    def begin_together(self, objects: Collection[int]) -> None:
        """Queue the prompts of objects that were never tracked anew, so that those of one frame are decoded together.

        The masks are then bit by bit those of a program that adds all prompts and tracks. Prompts that were refined
        click by click stay: the last click needs the mask of those before.
        """
        rows = {object_id: self._records.prompts(object_id) for object_id in objects}
        for object_id, prompts in rows.items():
            frames = [row.frame for row in prompts]
            is_tracked = any(each.bank.tracked or each.bank.results for each in self._objects([object_id]))
            if is_tracked or len(set(frames)) < len(frames) or any(row.corrects for row in prompts):
                continue
            for frame in frames:
                self.tracked.clear(object_id, frame)
            for row in prompts:
                self.tracked.add(object_id, row.frame, row.prompt)

    def save(self) -> None:
        """Write what is new in the session, so that it goes on from here after a restart."""
        if self._folder is None or not self._applied:
            return
        applied = [[key, [[frame, ids] for frame, ids in of.items()]] for key, of in self._applied.items()]
        if self._saving is None:
            folder = session_folder(self._folder, is_durable=False)  # it can be made anew, and others wait meanwhile
            self._saving = folder, self.tracked.writer(folder)
        folder, writer = self._saving
        try:
            commit_session(folder, writer.write(), **{_APPLIED: applied})
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Release the folder that the session is saved in."""
        if self._saving is not None:
            self._saving[0].close()
        self._saving = None

    # -- within ---------------------------------------------------------------------------------------------------

    def _resumed(self, tracker: VideoTracker, reader: VideoReader, retention: RetentionChoice) -> TrackedVideo | None:
        """Return the session that was saved; None if there is none, or none that can be used."""
        if self._folder is None or not (self._folder / FILE).is_file():
            return None
        try:
            saved = SavedSession.read(self._folder)
            self._applied = _applied_from(saved.content[_APPLIED])
            return tracker.resume(saved, reader, retention=retention)
        except (DamagedSessionError, InvalidInputError, LookupError, OSError) as error:
            logging.getLogger("masklet.server").warning("a saved session is left aside: %s", error)
            self._applied = {}
            return None

    def _follow_frame(self, object_id: int, frame: int, rows: Sequence[PromptRow], known: Sequence[int]) -> None:
        ids = [row.id for row in rows]
        if ids == list(known):
            return
        is_longer = bool(known) and ids[: len(known)] == list(known)
        added = rows[len(known) :] if is_longer else rows
        for place, row in enumerate(added):
            if place:
                self.segment(frame, [object_id])  # a later click refines the mask of those before it
            prompt = self._memory_of(row) or row.prompt
            self.tracked.add(object_id, frame, prompt, keep_earlier=is_longer or place > 0)

    def _memory_of(self, row: PromptRow) -> Prompt | None:
        """Return the mask that a correction gave, where the memories that it went by are gone."""
        if not row.corrects or self._is_tracked(row.object, row.frame):
            return None
        stored = self._records.mask(row.object, row.frame)
        size = self.tracked.session.video_size
        if stored is None or size is None or not stored.mask.width:
            return None
        return Prompt(mask=stored.mask.mask(*size))

    def _forget(self, object_id: int, frame: int) -> None:
        if any(frame in each.prompts for each in self._objects([object_id])):
            self.tracked.clear(object_id, frame)

    def _drop_removed(self) -> None:
        there = {each.object for each in self._records.objects()}
        for object_id in [each for each in self._applied if each not in there]:
            if object_id in self.tracked.object_ids:
                self.tracked.remove(object_id)
            del self._applied[object_id]

    def _is_tracked(self, object_id: int, frame: int) -> bool:
        return any(each.is_tracked(frame) for each in self._objects([object_id]))

    def _objects(self, objects: Collection[int]) -> Sequence[Any]:
        there = set(self.tracked.object_ids) & set(objects)
        return self.tracked.session.objects(there)

    def _entries(self, frame: int, found: Segmentation, state: State) -> list[Entry]:
        return tracked_entries(self.tracked, frame, found, state)


def tracked_entries(tracked: TrackedVideo, frame: int, found: Segmentation, state: State) -> list[Entry]:
    """Return the masks that a session gave for a frame as entries, with the object-score logits that it knows."""
    known = {each.object_id: each.bank.known(frame) for each in tracked.session.objects(set(found.object_ids))}

    def entry(place: int, object_id: int) -> Entry:
        packed, memory = PackedMask.of(found.mask(place), found.boxes[place]), known[object_id]
        presence = float(memory.object_score) if memory else 0.0
        return Entry(object_id, packed, float(found.scores[place]), presence, state=state)

    return [entry(place, object_id) for place, object_id in enumerate(found.object_ids)]


def _applied_from(value: Any) -> Applied:
    return {
        whole_number(key, "object"): {whole_number(frame, "frame"): [int(each) for each in ids] for frame, ids in of}
        for key, of in value
    }
