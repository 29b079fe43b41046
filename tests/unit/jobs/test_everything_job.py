"""Following everything as a job: ended on request or killed, and resumed with the same result."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.support.shade_world import SIZE, ShadeFinder, shade_tracker, world

from masklet import DamagedSessionError, EverythingPolicy
from masklet.jobs.everything_job import EverythingJob
from masklet.jobs.run import Ending
from masklet.jobs.tracking_journal import SavedTracking, TrackingJournal
from masklet.media.recorded_masks import RecordedMasks

COUNT = 12
POLICY = EverythingPolicy(min_area=30, every=3)


@pytest.fixture(scope="module")
def frames() -> np.ndarray:
    """One square that moves, and one that is there from frame 4 on."""
    return world({60: [(4 * number, 0) for number in range(COUNT)], 120: [None] * 4 + [(40, 40)] * (COUNT - 4)})[0]


def run(frames: np.ndarray, folder: Path, recorded: RecordedMasks, **options: Any) -> tuple[EverythingJob, Ending]:
    """Go on with the session in a folder if there is one, and save it after every frame."""
    tracker, finder = shade_tracker(), ShadeFinder()
    if (folder / "session.json").exists():
        job = EverythingJob.resume(tracker, frames, recorded, SavedTracking.read(folder), generator=finder)
    else:
        job = EverythingJob(tracker.everything(frames, POLICY, lookback=True, generator=finder), recorded)
    with TrackingJournal(folder, folder, every=0) as journal:
        ending = job.run(journal, **options)
        journal.save(job)
    return job, ending


def result(job: EverythingJob) -> Any:
    masks = {frame: (found.object_ids, found.run_lengths) for frame in job.recorded for found in [job.recorded[frame]]}
    return masks, job.everything.objects


@pytest.fixture(scope="module")
def expected(frames: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Any:
    with RecordedMasks(SIZE, SIZE) as recorded:
        job, ending = run(frames, tmp_path_factory.mktemp("whole"), recorded)
        assert ending.is_finished
        assert not job.open_frames
        return result(job)


def test_all_objects_are_reported_on_every_frame(expected: Any) -> None:
    masks, records = expected
    assert [ids for ids, _ in masks.values()] == [(1,)] * 4 + [(1, 2)] * 8
    assert [each.frames_present for each in records] == [12, 8]


def test_it_ends_on_request_and_continues(frames: np.ndarray, expected: Any, tmp_path: Path) -> None:
    reports: list[tuple[int, int, int]] = []
    with RecordedMasks(SIZE, SIZE) as recorded:
        stops = iter([False, False, True])
        job, ending = run(frames, tmp_path, recorded, should_stop=lambda: next(stops))
        assert not ending.is_finished
        assert job.open_frames == [range(3, COUNT)]
    with RecordedMasks(SIZE, SIZE) as recorded:
        job, ending = run(frames, tmp_path, recorded, on_frame=lambda *numbers: reports.append(numbers))
        assert ending.is_finished
        assert result(job) == expected
    assert reports[0] == (3, COUNT, 0)
    assert reports[-1] == (COUNT, COUNT, 2)


class Killed(BaseException):
    """In place of a signal: nothing is saved on the way out."""


@pytest.mark.parametrize("frame", [1, 4, 5, 7, COUNT])
def test_a_break_without_warning_changes_nothing(frames: np.ndarray, expected: Any, frame: int, tmp_path: Path) -> None:
    """What was reported after the last save is done again."""

    def break_off(done: int, *_: int) -> None:
        if done == frame:
            raise Killed

    with RecordedMasks(SIZE, SIZE) as recorded, pytest.raises(Killed):
        run(frames, tmp_path, recorded, on_frame=break_off)
    with RecordedMasks(SIZE, SIZE) as recorded:
        job, ending = run(frames, tmp_path, recorded)
        assert ending.is_finished
        assert result(job) == expected


def test_a_kill_changes_nothing(frames: np.ndarray, expected: Any, tmp_path: Path) -> None:
    """A process of its own is killed by a signal while frame 6 is reported."""
    program = """
import os, signal, sys
import numpy as np
from pathlib import Path
from masklet.media.recorded_masks import RecordedMasks
from tests.unit.jobs.test_everything_job import SIZE, run
kill = lambda done, *_: done == 6 and os.kill(os.getpid(), signal.SIGKILL)
with RecordedMasks(SIZE, SIZE) as recorded:
    run(np.load(sys.argv[1]), Path(sys.argv[2]), recorded, on_frame=kill)
"""
    np.save(tmp_path / "frames.npy", frames)
    order = [sys.executable, "-c", program, str(tmp_path / "frames.npy"), str(tmp_path / "session")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run(order, env=environment, check=False, timeout=300).returncode == -signal.SIGKILL
    with RecordedMasks(SIZE, SIZE) as recorded:
        job, ending = run(frames, tmp_path / "session", recorded)
        assert ending.is_finished
        assert result(job) == expected


def test_a_frame_that_cannot_be_used_leaves_the_others(frames: np.ndarray, tmp_path: Path) -> None:
    broken = [*frames[:6], np.zeros((8, 8, 3), np.uint8)]
    with RecordedMasks(SIZE, SIZE) as recorded:
        _, ending = run(broken, tmp_path, recorded)
        assert isinstance(ending.error, ValueError)
        assert list(recorded) == [0, 1, 2, 3]  # up to the last discovery, beyond which more may yet be found


def test_a_session_of_prompted_objects_is_refused(frames: np.ndarray, tmp_path: Path) -> None:
    shade_tracker().open(frames).save(tmp_path)
    with RecordedMasks(SIZE, SIZE) as recorded, pytest.raises(DamagedSessionError):
        run(frames, tmp_path, recorded)
