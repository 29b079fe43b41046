"""Tracking as a job: from a thread, ended on request, taken up again, with what was corrected done again."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from masklet.errors import InvalidInputError
from masklet.jobs.run import Ending
from masklet.jobs.tracking_job import TrackingJob
from masklet.jobs.tracking_journal import SavedTracking, TrackingJournal
from masklet.masks.segmentation import Segmentation
from masklet.media.recorded_masks import RecordedMasks
from masklet.tracking.frame_order import Direction, TrackingTask

FRAMES = 8
ALL = TrackingTask(range(FRAMES), Direction.BOTH)


class Tracked:
    """A video whose one object is prompted on frame 3; it is also its own tracker and its own saved session."""

    prompted_frames, object_ids = (3,), (1,)

    def __init__(self) -> None:
        self.visited: list[int] = []
        self.fail_at: int | None = None

    def open(self, video: object) -> "Tracked":
        return self

    def resume(self, saved: object, video: object) -> "Tracked":
        return self

    def track(self, direction: str, frames: range) -> Iterator[tuple[int, Segmentation]]:
        for frame in frames if direction == "forward" else reversed(frames):
            if frame == self.fail_at:
                raise InvalidInputError(f"frame {frame} is damaged")
            self.visited.append(frame)
            yield frame, Segmentation(np.full((1, 4, 6), frame % 2 == 0), np.ones(1), (1,))

    def writer(self, folder: object) -> "Tracked":
        return self

    def write(self) -> dict[str, Any]:
        about = {"model": "", "is_stream": False, "num_frames": FRAMES, "dtype": "float32", "max_results": 1}
        return {**about, "video_height": 4, "video_width": 6, "retention": "window", "objects": []}


@pytest.fixture
def recorded() -> Iterator[RecordedMasks]:
    with RecordedMasks(4, 6) as recorded:
        yield recorded


def run(folder: Path, recorded: RecordedMasks, task: TrackingTask = ALL, **options: Any) -> tuple[list[int], Ending]:
    """Go on with the session in a folder if there is one, and save it; the frames that were visited and the ending."""
    tracked: Any = Tracked()
    tracked.fail_at = options.pop("fail_at", None)
    saved = SavedTracking.read(folder) if (folder / "session.json").exists() else None
    with TrackingJournal(folder, folder, every=None) as journal:
        job = TrackingJob.begin(tracked, range(FRAMES), recorded, saved)
        ending = job.run(task, journal, **options)
        journal.save(job)
    return tracked.visited, ending


def stop_after(frames: int) -> dict[str, Any]:
    seen = iter(range(1, 100))
    return {"should_stop": lambda: next(seen) == frames}


def test_it_runs_in_a_thread_and_reports_every_frame(tmp_path: Path) -> None:
    reports: list[tuple[int, int, int]] = []
    endings: list[Ending] = []

    def work() -> None:
        with RecordedMasks(4, 6) as recorded:
            visited, ending = run(tmp_path, recorded, on_frame=lambda *report: reports.append(report))
            assert visited == [3, 4, 5, 6, 7, 2, 1, 0]
            endings.append(ending)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert endings == [Ending(is_finished=True)]
    assert reports == [(done, FRAMES, 1) for done in range(FRAMES + 1)]


def test_what_is_left_is_done_by_whoever_goes_on(tmp_path: Path) -> None:
    for frames, expected in ((2, [3, 4]), (4, [5, 6, 7, 2]), (9, [1, 0])):
        with RecordedMasks(4, 6) as recorded:
            visited, ending = run(tmp_path, recorded, **stop_after(frames))
            assert (visited, ending.is_finished) == (expected, frames == 9)
            assert SavedTracking.read(tmp_path).task == (None if frames == 9 else ALL)


def test_frames_behind_a_correction_stay_open_until_they_are_done_again(tmp_path: Path) -> None:
    with RecordedMasks(4, 6) as recorded:
        run(tmp_path, recorded)
    with RecordedMasks(4, 6) as recorded:
        assert run(tmp_path, recorded, corrected={4}, **stop_after(1))[0] == [4]
    assert SavedTracking.read(tmp_path).open_frames == (range(5, 8),)
    early = TrackingTask(range(5), Direction.FORWARD)
    with RecordedMasks(4, 6) as recorded:  # somebody asks for other frames first
        assert run(tmp_path, recorded, early) == ([], Ending(is_finished=True))
    assert SavedTracking.read(tmp_path).open_frames == (range(5, 8),)
    with RecordedMasks(4, 6) as recorded:
        assert run(tmp_path, recorded)[0] == [5, 6, 7]
    assert SavedTracking.read(tmp_path).open_frames == ()


def test_an_error_midway_is_kept_with_what_was_done_one_at_once_is_raised(
    tmp_path: Path, recorded: RecordedMasks
) -> None:
    with pytest.raises(InvalidInputError, match="frame 3 is damaged"):
        run(tmp_path, recorded, fail_at=3)
    visited, ending = run(tmp_path, recorded, fail_at=6)
    assert (visited, ending.is_finished, str(ending.error)) == ([3, 4, 5], False, "frame 6 is damaged")
    assert SavedTracking.read(tmp_path).open_frames == (range(6, 8), range(3))
