"""When a job is saved, where, and what becomes of the folder."""

import errno
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.support.saved_sessions import index_of, write_index

from masklet.errors import DamagedSessionError, InvalidInputError
from masklet.jobs import tracking_journal
from masklet.jobs.tracking_journal import SavedTracking, TrackingJournal
from masklet.masks.segmentation import Segmentation
from masklet.media.recorded_masks import RecordedMasks
from masklet.tracking.frame_order import Direction, TrackingTask

FRAMES = 9


class Clock:
    """Tells the seconds that a test says."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Job:
    """Has tracked the frames of `recorded`; its session is nothing."""

    def __init__(self, recorded: RecordedMasks) -> None:
        self.tracked: Any = self
        self.recorded = recorded
        self.task: TrackingTask | None = TrackingTask(range(1, 8), Direction.BOTH)
        self.open_frames = [range(3, 8), range(1, 2)]
        self.clock, self.cost = Clock(), 0.0

    def writer(self, folder: object) -> "Job":
        return self

    def write(self) -> dict[str, Any]:
        self.clock.now += self.cost
        size = {"video_height": 4, "video_width": 6}
        about = {"model": "", "is_stream": False, "num_frames": FRAMES, "dtype": "float32", "max_results": 1}
        return {**about, **size, "retention": "window", "objects": []}

    def described(self) -> dict[str, Any]:
        return {}

    def journal(
        self, folder: Path | None, default: Path, every: float | None = 30.0, **options: Any
    ) -> TrackingJournal:
        return TrackingJournal(folder, default, every, clock=self.clock, **options)


@pytest.fixture
def job() -> Iterator[Job]:
    with RecordedMasks(4, 6) as recorded:
        recorded.record(2, Segmentation(np.ones((1, 4, 6), bool), np.ones(1), (3,)))
        yield Job(recorded)


def saved_at(job: Job, journal: TrackingJournal, seconds: range, index: Path) -> list[int]:
    """The seconds at which the journal saves when it is asked once a second."""
    times = []
    for second in seconds:
        before = index.read_bytes() if index.exists() else None
        job.clock.now = max(job.clock.now, second)
        job.open_frames = [range(second % 7, 8)]
        journal.save_if_due(job)
        if index.exists() and index.read_bytes() != before:
            times.append(second)
    return times


def test_it_saves_every_so_many_seconds_into_the_default_folder(tmp_path: Path, job: Job) -> None:
    with job.journal(None, tmp_path / "v_session") as journal:
        assert saved_at(job, journal, range(100), tmp_path / "v_session" / "session.json") == [30, 60, 90]
        assert SavedTracking.read(tmp_path / "v_session").task == job.task


def test_saving_that_is_slow_is_done_less_often(tmp_path: Path, job: Job) -> None:
    job.cost = 4.0
    with job.journal(tmp_path, tmp_path) as journal:
        times = saved_at(job, journal, range(300), tmp_path / "session.json")
    assert times == [30, 110, 190, 270]  # 4 of 80 seconds


def test_it_saves_only_when_it_is_asked_to(tmp_path: Path, job: Job) -> None:
    with job.journal(None, tmp_path / "v_session", every=None) as journal:
        assert saved_at(job, journal, range(100), tmp_path / "v_session" / "session.json") == []
        assert journal.save(job) == tmp_path / "v_session"
    assert SavedTracking.read(tmp_path / "v_session").task == job.task


def full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_the_default_folder_goes_when_all_is_done_one_that_was_asked_for_stays(
    tmp_path: Path, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    with job.journal(None, tmp_path / "default") as journal:
        journal.save(job)
        journal.finish()
    with job.journal(tmp_path / "asked", tmp_path / "default") as journal:
        journal.save(job)
        journal.finish()
    with job.journal(None, tmp_path / "default") as journal:
        journal.finish()
    with job.journal(None, tmp_path / "default") as journal, monkeypatch.context() as patched:
        patched.setattr(tracking_journal, "commit_session", full)
        with pytest.raises(OSError, match="No space"):
            journal.save(job)
        journal.finish()
    assert [path.name for path in tmp_path.iterdir()] == ["asked"]


def test_a_folder_that_is_not_kept_goes_when_all_is_done_in_a_later_run(tmp_path: Path, job: Job) -> None:
    with job.journal(None, tmp_path / "default") as journal:
        journal.save(job)
    with job.journal(tmp_path / "kept", tmp_path) as journal:
        journal.save(job)
    saved = {name: SavedTracking.read(tmp_path / name).is_kept for name in ("default", "kept")}
    assert saved == {"default": False, "kept": True}
    for name, is_kept in saved.items():
        with job.journal(tmp_path / name, tmp_path, is_kept=is_kept) as journal:
            journal.save(job)
            assert SavedTracking.read(tmp_path / name).is_kept is is_kept
            journal.finish()
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_a_session_of_an_earlier_version_is_kept(tmp_path: Path, job: Job) -> None:
    with job.journal(None, tmp_path / "s") as journal:
        journal.save(job)
    content = index_of(tmp_path / "s")
    del content["tracking"]["kept"]
    write_index(tmp_path / "s", content)
    assert SavedTracking.read(tmp_path / "s").is_kept


def test_a_session_that_is_there_is_not_replaced_unless_that_was_asked_for(tmp_path: Path, job: Job) -> None:
    for expected in ("s", "s_2", "s_3"):
        with job.journal(None, tmp_path / "s") as journal:
            assert journal.save(job).name == expected
    with job.journal(None, tmp_path / "t") as one, job.journal(None, tmp_path / "t") as other:
        assert (one.save(job).name, other.save(job).name) == ("t", "t_2")  # both alive
    (tmp_path / "u").mkdir()
    with job.journal(None, tmp_path / "u") as journal:
        assert journal.save(job).name == "u"
    with job.journal(tmp_path / "s", tmp_path / "t") as journal:
        assert journal.save(job).name == "s"
    with job.journal(tmp_path / "s", tmp_path / "t"), pytest.raises(InvalidInputError, match="Another tracking"):
        job.journal(tmp_path / "s", tmp_path / "t")


def test_a_full_disk_leaves_the_save_before_and_the_next_one_is_whole(
    tmp_path: Path, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    problems: list[OSError] = []

    with job.journal(tmp_path / "s", tmp_path, on_problem=problems.append) as journal:
        journal.save(job)
        saved = index_of(tmp_path / "s")
        job.recorded.record(3, Segmentation(np.zeros((1, 4, 6), bool), np.ones(1), (3,)))
        job.clock.now = 60
        with monkeypatch.context() as patched:
            patched.setattr(tracking_journal, "commit_session", full)
            journal.save_if_due(job)
            job.clock.now = 90
            journal.save_if_due(job)
            with pytest.raises(OSError, match="No space"):
                journal.save(job)
        assert [problem.errno for problem in problems] == [errno.ENOSPC]  # once, not every half minute
        assert index_of(tmp_path / "s") == saved
        assert frames_of(tmp_path / "s") == [2]
        job.clock.now = 120
        journal.save_if_due(job)
        assert frames_of(tmp_path / "s") == [2, 3]


def frames_of(folder: Path) -> list[int]:
    with RecordedMasks(4, 6) as recorded:
        SavedTracking.read(folder).fill(recorded, FRAMES)
        assert recorded[2].object_ids == (3,)
        return list(recorded)


def test_what_is_left_to_do_comes_back(tmp_path: Path, job: Job) -> None:
    with job.journal(tmp_path, tmp_path) as journal:
        journal.save(job)
        saved = SavedTracking.read(tmp_path)
        assert (saved.task, saved.open_frames) == (job.task, (range(3, 8), range(1, 2)))
        job.open_frames = []
        journal.save(job)
    assert (SavedTracking.read(tmp_path).task, SavedTracking.read(tmp_path).open_frames) == (None, ())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("masks", None),
        ("masks", ["../../masks.jsonl", 3, 4]),
        ("frames", [3, 3]),
        ("frames", [0, FRAMES + 1]),
        ("frames", "0:9"),
        ("direction", "sideways"),
        ("open", [[0, 10**400]]),
        ("open", 7),
    ],
)
def test_what_a_journal_does_not_write_is_refused(tmp_path: Path, job: Job, name: str, value: object) -> None:
    with job.journal(tmp_path, tmp_path) as journal:
        journal.save(job)
    content = index_of(tmp_path)
    content["tracking"][name] = value
    write_index(tmp_path, content)
    with pytest.raises(DamagedSessionError, match="holds no readable session"):
        frames_of(tmp_path)


def test_masks_that_are_not_those_of_the_session_are_refused(tmp_path: Path, job: Job) -> None:
    with job.journal(tmp_path, tmp_path) as journal:
        journal.save(job)
    (masks,) = tmp_path.glob("masks-*")
    masks.write_bytes(masks.read_bytes().replace(b'"frame": 2', b'"frame": 4'))
    with pytest.raises(DamagedSessionError, match="damaged: its checksum"):
        frames_of(tmp_path)


def test_folders_without_masks(tmp_path: Path) -> None:
    with pytest.raises(DamagedSessionError, match=r"holds no session.json, so that no tracking was saved there"):
        SavedTracking.read(tmp_path)
    about = {"model": "", "is_stream": False, "num_frames": 1, "dtype": "float32", "max_results": 1, "objects": []}
    described = {**about, "retention": "window", "video_height": None, "video_width": None}
    (tmp_path / "session.json").write_text(json.dumps({"format": 1, **described}))
    with pytest.raises(DamagedSessionError, match=r"holds no masks.json"):
        SavedTracking.read(tmp_path)
    write_index(tmp_path, {"format": 2, "session": described})
    with pytest.raises(DamagedSessionError, match="holds no masks, so that no tracking"):
        SavedTracking.read(tmp_path)


def test_a_session_that_was_continued_elsewhere_is_forgotten_unless_it_is_kept_or_in_use(
    tmp_path: Path, job: Job
) -> None:
    for name, is_kept in (("left", False), ("kept", True)):
        with job.journal(tmp_path / name, tmp_path, is_kept=is_kept) as journal:
            journal.save(job)
    assert SavedTracking.is_unfinished(tmp_path / "left")
    left, kept = (SavedTracking.read(tmp_path / name) for name in ("left", "kept"))
    left.forget(tmp_path / "kept" / ".." / "left")  # it is saved in itself
    with job.journal(tmp_path / "left", tmp_path):
        left.forget(tmp_path / "new")
        assert SavedTracking.is_unfinished(tmp_path / "left")
    left.forget(tmp_path / "new")
    kept.forget(tmp_path / "new")
    assert [SavedTracking.is_unfinished(tmp_path / name) for name in ("left", "kept", "new")] == [False, True, False]


def test_what_is_done_is_not_unfinished(tmp_path: Path, job: Job) -> None:
    job.open_frames = []
    with job.journal(tmp_path / "done", tmp_path) as journal:
        journal.save(job)
    assert not SavedTracking.is_unfinished(tmp_path / "done")
