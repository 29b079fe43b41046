import pytest
import torch

from masklet.errors import InvalidInputError
from masklet.tracking.frames import FeatureCache, StreamedFrames


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
