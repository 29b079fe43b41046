"""Sessions under edits in any order, against objects that are alone in sessions which never forget anything.

Everything that a session shares or lets go of has to be without effect: other objects in the same batch, memories on
disk, a saved and resumed session, frames of a stream that were dropped.
"""

import tempfile
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import torch
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.support.small_sessions import FRAMES, HEIGHT, SIZE, WIDTH, model, video
from torch import Tensor

from masklet import Sam2VideoInferenceSession
from masklet.tracking.frames import FeatureCache
from masklet.tracking.memory_bank import MemoryBank

OBJECTS = st.integers(1, 3)
PLACES = st.tuples(st.integers(2, SIZE - 3), st.integers(2, SIZE - 3))
# In float64, so that a batch and a single object differ by less than any threshold can enlarge.
NETWORK, PIXELS, FEATURES = model().double(), video().double(), FeatureCache(FRAMES)


class MemoryBankThatKeepsAll(MemoryBank):
    """The memories of one object, none of which is ever evicted."""

    def evict(self, *_: Any) -> dict[int, Any]:
        return {}


def session_of(pixels: Tensor | None, **options: Any) -> Sam2VideoInferenceSession:
    session = Sam2VideoInferenceSession(pixels, HEIGHT, WIDTH, dtype=torch.float64, **options)
    if pixels is not None:
        session.frames.cache = FEATURES
    return session


def alone(object_id: int) -> Sam2VideoInferenceSession:
    session = session_of(PIXELS)
    target = session.new_object(object_id)
    target.bank = MemoryBankThatKeepsAll()
    session.keep(target)
    return session


class EditedSession(RuleBasedStateMachine):
    """One session under test, `together`; beside it a session for each object."""

    retention = "window"

    @initialize()
    def begin(self) -> None:
        self.together = self.opened()
        self.alone: dict[int, Sam2VideoInferenceSession] = {}

    def opened(self) -> Sam2VideoInferenceSession:
        return session_of(PIXELS, retention=self.retention)

    def frames(self) -> list[int]:
        return [frame for frame in range(self.together.num_frames) if frame in self.together.frames]

    def a_frame(self, data: st.DataObject) -> int:
        return data.draw(st.sampled_from(self.frames()), label="frame")

    def prompted(self) -> list[tuple[int, int]]:
        return [(each.object_id, frame) for each in self.together.objects() for frame in each.prompts]

    def is_ready(self) -> bool:
        return bool(self.alone) and all(each.prompts for each in self.together.objects())

    @precondition(lambda self: self.frames())
    @rule(
        data=st.data(), object_id=OBJECTS, clicks=st.lists(PLACES, min_size=1, max_size=2), label=st.integers(0, 1),
        kind=st.sampled_from(["clicks", "more clicks", "box", "mask", "absent"]),
    )  # fmt: skip
    def add(self, data: st.DataObject, object_id: int, clicks: list[tuple[int, int]], label: int, kind: str) -> None:
        frame = self.a_frame(data)
        (x, y), labels = clicks[0], [label] * len(clicks)
        mask = torch.zeros(SIZE, SIZE)
        mask[: y + 1, : x + 1] = kind == "mask"
        for session in (self.together, self.alone.setdefault(object_id, alone(object_id))):
            if kind in ("mask", "absent"):
                session.add_mask(object_id, frame, mask)
            elif kind == "box":
                session.add_points(object_id, frame, box=(x - 2, y - 2, x + 2, y + 2))
            else:
                session.add_points(object_id, frame, clicks, labels, clear_old=kind == "clicks")

    @precondition(lambda self: self.prompted())
    @rule(data=st.data())
    def clear(self, data: st.DataObject) -> None:
        object_id, frame = data.draw(st.sampled_from(self.prompted()), label="object, frame")
        for session in (self.together, self.alone[object_id]):
            session.clear_prompts(object_id, frame)

    @precondition(lambda self: self.alone)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        object_id = data.draw(st.sampled_from(sorted(self.alone)), label="object")
        self.together.remove_object(object_id)
        del self.alone[object_id]

    @precondition(lambda self: self.is_ready() and self.frames())
    @rule(data=st.data(), length=st.integers(1, 9), reverse=st.booleans())
    def track(self, data: st.DataObject, length: int, reverse: bool) -> None:
        start = self.a_frame(data)
        reachable = [frame for frame in self.frames() if (frame <= start if reverse else frame >= start)]
        for frame in sorted(reachable, reverse=reverse)[:length]:
            expected = self.stepped(frame, reverse=reverse)
            self.compare(NETWORK(self.together, frame_idx=frame, reverse=reverse), expected)

    def stepped(self, frame: int, *, reverse: bool = False) -> dict[int, Tensor]:
        """Each object alone; where an object is prompted anew on the frame, others keep what was tracked there."""
        is_prompt_new = any(frame in each.objects()[0].pending_frames() for each in self.alone.values())
        logits = {}
        for object_id, session in self.alone.items():
            keeps = is_prompt_new and session.objects()[0].is_tracked(frame)
            step = NETWORK.look(session, frame) if keeps else NETWORK(session, frame_idx=frame, reverse=reverse)
            logits[object_id] = step.pred_masks[0, 0]
        return logits

    @precondition(lambda self: self.is_ready() and self.frames())
    @rule(data=st.data())
    def look(self, data: st.DataObject) -> None:
        frame = self.a_frame(data)
        expected = {name: NETWORK.look(session, frame).pred_masks[0, 0] for name, session in self.alone.items()}
        self.compare(NETWORK.look(self.together, frame), expected)

    def compare(self, output: Any, expected: dict[int, Tensor]) -> None:
        assert sorted(output.object_ids) == sorted(expected)
        for object_id, logits in zip(output.object_ids, output.pred_masks[:, 0], strict=True):
            assert (logits - expected[object_id]).abs().max() < 1e-6, object_id

    @precondition(lambda self: self.is_ready())
    @rule()
    def save_and_load(self) -> None:
        for session in self.alone.values():  # what is new in a stream is answered before it is saved
            if self.together.is_stream:
                NETWORK.look(session, next(iter(session.objects()[0].prompts)))
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "session"
            self.together.save(place, NETWORK)
            pixels = None if self.together.is_stream else PIXELS
            self.together = Sam2VideoInferenceSession.load(place, pixels, NETWORK, retention=self.retention)
        if pixels is not None:
            self.together.frames.cache = FEATURES

    @invariant()
    def objects_and_prompts_are_those_that_were_added(self) -> None:
        if hasattr(self, "alone"):
            assert sorted(self.together.obj_ids) == sorted(self.alone)
            expected = {(name, frame) for name, session in self.alone.items() for frame in session.objects()[0].prompts}
            assert set(self.prompted()) == expected


class EditedSessionOnDisk(EditedSession):
    """Memories out of reach are put on disk, and corrections anywhere are exact."""

    retention = "spill"


class EditedStream(EditedSession):
    """Frames are pushed one by one, and only the last ones can be edited."""

    retention = "spill"

    def opened(self) -> Sam2VideoInferenceSession:
        return session_of(None, retention=self.retention, max_stream_frames=4)

    @precondition(lambda self: self.together.num_frames < FRAMES and (self.is_ready() or not self.alone))
    @rule()
    def push(self) -> None:
        number = self.together.num_frames
        if not self.alone:
            assert self.together.add_new_frame(PIXELS[number]) == number
            return
        expected = self.stepped(number)
        self.compare(NETWORK(self.together, frame=PIXELS[number]), expected)


SOME = settings(
    max_examples=12,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
TestEditedSessionOnDisk = EditedSessionOnDisk.TestCase
TestEditedStream = EditedStream.TestCase
TestEditedSessionOnDisk.settings = TestEditedStream.settings = SOME
