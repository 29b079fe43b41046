"""What is measured of ways to run a model."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from tests.support.shade_runtime import SIZE as SHADES
from tests.support.shade_runtime import ShadeRuntime
from tests.support.small_video_models import SIZE, small_video_model
from torch import Tensor

from masklet import Sam2Processor, VideoTracker, transfers
from masklet.evaluation import speed
from masklet.evaluation.speed import measured_speeds, moving_disc
from masklet.runtimes import compiled
from masklet.runtimes.protocol import ImageFeatures, MaskOutputs


def tracker(seed: int) -> VideoTracker:
    size = {"height": SIZE, "width": SIZE}
    return VideoTracker(small_video_model(seed), Sam2Processor.from_pretrained(size=size))


def test_speeds_come_with_agreement_with_the_first_way() -> None:
    shares: list[float] = []
    speeds = measured_speeds({"first": tracker(0), "same": tracker(0), "other": tracker(1)}, 1e-9, shares.append)
    assert list(speeds) == ["first", "same", "other"]
    assert all(min(each.encode, each.click, each.frame) > 0 for each in speeds.values())
    assert speeds["first"].agreement == speeds["same"].agreement == 1
    assert speeds["other"].agreement < 1
    assert len(shares) == 6  # two images and four frames, however little time there is
    assert all(0 <= share <= 1 for share in shares)


def test_each_way_has_run_before_the_first_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it compiles or opens then is nobody's time."""
    opened: list[object] = []
    plain = VideoTracker.open
    monkeypatch.setattr(VideoTracker, "open", lambda self, clip: (opened.append(self), plain(self, clip))[1])
    first, second = tracker(0), tracker(0)
    began: list[int] = []
    measured_speeds({"first": first, "second": second}, 1e-9, lambda share: began.append(len(opened)))
    assert began[0] == 2
    assert opened == [first, second, first, second]


def test_nothing_is_compiled_while_a_way_with_cuda_graphs_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """The processor taken for a GPU; what is given to torch's compiler runs as it is."""
    given: list[object] = []

    def note(function: Any, **options: Any) -> Any:
        given.append(function)
        return function

    monkeypatch.setattr(compiled, "HAVE_CUDA_GRAPHS", ("cpu",))
    monkeypatch.setattr(torch, "compile", note)
    monkeypatch.setattr(torch.compiler, "cudagraph_mark_step_begin", lambda: None)
    way = tracker(0)
    way.model.compile_parts()
    counts: list[int] = []
    measured_speeds({"compiled": way}, 1e9, lambda share: counts.append(len(given)))
    parts = 4
    assert counts[0] == len(given) == 2 * parts, "of any size, and of a fixed one"


class Queue:
    """A device that works through a queue, and a clock: `now` of the processor, `done` of the device, in seconds."""

    def __init__(self) -> None:
        self.now = self.done = 0.0

    def add(self, seconds: float) -> None:
        self.done = max(self.done, self.now) + seconds

    def wait(self, *of: object) -> None:
        self.now = max(self.now, self.done)


class Mark:
    """A place in a queue."""

    def __init__(self, queue: Queue) -> None:
        self._queue, self._done = queue, queue.done

    def synchronize(self) -> None:
        self._queue.now = max(self._queue.now, self._done)


class QueuedRuntime(ShadeRuntime):
    """Takes a device some seconds to encode an image, and one to decode masks."""

    def __init__(self, queue: Queue, seconds: float) -> None:
        super().__init__()
        self._queue, self._seconds = queue, seconds

    def encode_image(self, pixel_values: Tensor) -> ImageFeatures:
        self._queue.add(self._seconds)
        return super().encode_image(pixel_values)

    def decode(self, *arguments: Any, **options: Any) -> MaskOutputs:
        self._queue.add(1)
        return super().decode(*arguments, **options)


def test_each_is_given_the_time_that_a_device_with_a_queue_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its verbs return at once, and the frame after is encoded already; the processor stands for it."""
    queue = Queue()
    monkeypatch.setattr(transfers, "HAVE_QUEUES", ("cpu",))
    monkeypatch.setattr(transfers, "_room_for", torch.empty_like)
    monkeypatch.setattr(transfers, "_mark", lambda device: Mark(queue))
    monkeypatch.setattr(transfers, "_groups", lambda tensors: iter([list(tensors)]))  # those of a device, all at once
    monkeypatch.setattr(speed, "wait_for", queue.wait)
    monkeypatch.setattr(speed, "time", SimpleNamespace(perf_counter=lambda: queue.now))
    processor = Sam2Processor.from_pretrained(size={"height": SHADES, "width": SHADES})
    ways = {name: VideoTracker(QueuedRuntime(queue, name), processor) for name in (5, 50)}
    speeds = measured_speeds(ways, 1)
    assert [(each.encode, each.click, each.frame) for each in speeds.values()] == [(5, 1, 5 + 1), (50, 1, 50 + 1)]


def test_the_disc_moves_and_stays_inside() -> None:
    clip = moving_disc()
    is_disc = (clip == (230, 180, 60)).all(-1)
    assert {int(each.sum()) for each in is_disc} == {int(is_disc[0].sum())}
    assert not (is_disc[0] & is_disc[-1]).any()
    assert is_disc[0].sum() == pytest.approx(3.14 * 40**2, rel=0.01)
