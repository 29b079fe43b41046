from types import SimpleNamespace
from typing import Any

import pytest
import torch
from tests.support.host_waits import HostWaits
from tests.support.small_video_models import small_clip
from torch import Tensor

from masklet import Sam2ImageProcessorFast, transfers
from masklet.errors import InvalidInputError, UnreadableVideoError
from masklet.masks.views import View
from masklet.processing.video_frames import PreparedFrames
from masklet.tracking.frames import FeatureCache, FrameSource, StreamedFrames


def test_a_stream_keeps_its_last_frames() -> None:
    frames = StreamedFrames(2)
    for number in range(4):
        assert frames.add(torch.full((3, 4, 4), float(number))) == number
    assert len(frames) == 4
    assert frames[3].mean() == 3
    assert (1 in frames, 2 in frames) == (False, True)
    with pytest.raises(InvalidInputError, match=r"Frame 1 of the stream was dropped; the frames \[2, 3\]"):
        frames[1]


def test_frames_may_be_left_out_but_not_come_late() -> None:
    frames = StreamedFrames(3)
    frames.add(torch.zeros(3, 4, 4))
    assert frames.add(torch.ones(3, 4, 4), 7) == 7
    assert len(frames) == 8
    with pytest.raises(InvalidInputError, match="Frame 3 came after frame 7"):
        frames.add(torch.zeros(3, 4, 4), 3)


def test_frames_of_another_size() -> None:
    frames = StreamedFrames(3)
    frames.add(torch.zeros(3, 4, 4))
    with pytest.raises(InvalidInputError, match=r"\[3, 8, 8\]; the frames before it have \[3, 4, 4\]"):
        frames.add(torch.zeros(3, 8, 8))
    assert len(frames) == 1


def test_the_last_used_features_are_kept() -> None:
    cache, computed = FeatureCache(2), []

    def get(frame: int) -> None:
        cache.get(frame, lambda: (computed.append(frame), (torch.zeros(1),))[1])  # type: ignore[func-returns-value]

    for frame in (9, 5, 9, 1, 9, 5):
        get(frame)
    assert computed == [9, 5, 1, 5]
    cache.clear()
    get(5)
    assert computed[-1] == 5
    assert len(computed) == 5


class Watched(PreparedFrames):
    """Notes which frames are read."""

    def __init__(self, events: list[str], count: int = 4) -> None:
        super().__init__(small_clip(count), Sam2ImageProcessorFast(size={"height": 96, "width": 96}))
        self._events = events

    def stretched(self, frame: int, view: View | None) -> Tensor:
        self._events.append(f"read {frame}")
        return super().stretched(frame, view)


def encoded_in_order(device: str, order: list[int]) -> tuple[list[str], list[Tensor]]:
    """What happens when frames are encoded on a device, and the pixels that the network gets."""
    events: list[str] = []
    source, seen = FrameSource(Watched(events), most_streamed=1, most_features=1), []

    def encode_image(pixels: Tensor) -> Any:
        events.append("encode")
        seen.append(pixels)

    runtime: Any = SimpleNamespace(device=torch.device(device), dtype=torch.float32, encode_image=encode_image)
    for frame in order:
        source.features(runtime, frame)
    return events, seen


def test_the_next_frame_is_sent_while_the_device_works_on_this_one() -> None:
    """Either way; every frame is read once, as bytes, and nothing waits for the device."""
    with HostWaits() as waits:
        forwards, seen = encoded_in_order("meta", [0, 1, 2, 3])
        backwards, _ = encoded_in_order("meta", [3, 2, 1, 0])
    assert forwards == ["read 0", "encode", "read 1", "encode", "read 2", "encode", "read 3", "encode"]
    assert backwards == ["read 3", "encode", "read 2", "encode", "read 1", "encode", "read 0", "encode"]
    assert all(each.is_meta and each.dtype == torch.float32 for each in seen)
    assert not waits.counts


def test_frames_are_sent_as_bytes_and_normalised_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    """A processor with a queue stands for the device: its pixels are those without one, bit for bit."""
    events, expected = encoded_in_order("cpu", [0, 1])
    assert events == ["read 0", "encode", "read 1", "encode"]
    pinned: list[Tensor] = []
    monkeypatch.setattr(transfers, "HAVE_QUEUES", ("cpu",))
    monkeypatch.setattr(transfers, "_pinned", lambda tensor: pinned.append(tensor) or tensor)
    _, found = encoded_in_order("cpu", [0, 1])
    assert all(map(torch.equal, found, expected))
    assert {each.dtype for each in pinned if each.numel() > 3} == {torch.uint8}


def test_a_broken_frame_is_reported_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def stretched(self: Watched, frame: int, view: View | None) -> Tensor:
        if frame == 1:
            raise UnreadableVideoError("frame 1 is broken")
        return PreparedFrames.stretched(self, frame, view)

    monkeypatch.setattr(Watched, "stretched", stretched)
    with HostWaits():
        assert len(encoded_in_order("meta", [0])[1]) == 1
        with pytest.raises(UnreadableVideoError, match="frame 1 is broken"):
            encoded_in_order("meta", [0, 1])
