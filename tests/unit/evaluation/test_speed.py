"""What is measured of ways to run a model."""

from typing import Any

import pytest
import torch
from tests.support.small_video_models import SIZE, small_video_model

from masklet import Sam2Processor, VideoTracker
from masklet.evaluation.speed import measured_speeds, moving_disc
from masklet.runtimes import compiled


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


def test_the_disc_moves_and_stays_inside() -> None:
    clip = moving_disc()
    is_disc = (clip == (230, 180, 60)).all(-1)
    assert {int(each.sum()) for each in is_disc} == {int(is_disc[0].sum())}
    assert not (is_disc[0] & is_disc[-1]).any()
    assert is_disc[0].sum() == pytest.approx(3.14 * 40**2, rel=0.01)
