"""Copies for scrubbing: when they are made, and that none is left or used that should not be."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest
from tests.support.video_files import moving_square, write_small_video

from masklet.media import scrubbing_copy
from masklet.media.scrubbing_copy import write_scrubbing_copy
from masklet.media.video_reader import VideoReader
from masklet.server import scrubbing
from masklet.server.projects import Project
from masklet.server.rows import ItemRow
from masklet.server.scrubbing import FOLDER, KEPT_SECONDS, ScrubbingCopies, remove_old_copies

COUNT = 12
PATIENCE = 20  # seconds; nothing takes as long unless it hangs


@pytest.fixture(autouse=True)
def _always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every video be worth a copy."""
    monkeypatch.setattr(scrubbing_copy, "SLOW", 0)


@pytest.fixture
def item(project: Project, tmp_path: Path) -> ItemRow:
    file = write_small_video(tmp_path / "v.mp4", moving_square(COUNT))
    item_id = project.add_item("video", "v.mp4", str(file), 0)
    project.change_item(item_id, status="ready", width=64, height=48, frames=COUNT)
    return project.items()[0]


@pytest.fixture
def copies() -> Iterator[ScrubbingCopies]:
    made = ScrubbingCopies(4, 0, lambda: False)
    yield made
    made.close()


def until(is_so: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.005)


def made(copies: ScrubbingCopies, item: ItemRow, project: Project) -> VideoReader:
    until(lambda: copies.reader(item, project.folder) is not None)
    reader = copies.reader(item, project.folder)
    assert reader is not None
    return reader


def files(project: Project) -> list[str]:
    return sorted(path.name for path in (project.folder / FOLDER).iterdir())


class Held:
    """Holds copies that are being made before the frame in the middle, until it is let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun, self.go, self.frames = Event(), Event(), 0
        monkeypatch.setattr(scrubbing, "write_scrubbing_copy", self._write)

    def _write(self, source: Path, target: Path, before_each: Callable[[], None]) -> bool:
        def before() -> None:
            self.frames += 1
            if self.frames == COUNT // 2:
                self.begun.set()
                assert self.go.wait(PATIENCE)
            before_each()

        return write_scrubbing_copy(source, target, before)


def test_a_copy_is_made_when_it_is_asked_for(copies: ScrubbingCopies, project: Project, item: ItemRow) -> None:
    assert copies.reader(item, project.folder) is None
    assert len(made(copies, item, project)) == COUNT
    assert files(project) == [f"{item.id}.mp4"]


def test_a_copy_that_was_deleted_is_made_again(copies: ScrubbingCopies, project: Project, item: ItemRow) -> None:
    for _ in range(2):
        made(copies, item, project)
        copies._readers.forget(item.id)
        (project.folder / FOLDER / f"{item.id}.mp4").unlink()


@pytest.mark.parametrize("count", [None, COUNT - 1])
def test_what_is_no_whole_copy_is_not_used(
    copies: ScrubbingCopies, project: Project, item: ItemRow, tmp_path: Path, count: int | None
) -> None:
    (project.folder / FOLDER).mkdir(parents=True)
    broken = write_small_video(tmp_path / "broken.mp4", moving_square(count or COUNT)).read_bytes()
    (project.folder / FOLDER / f"{item.id}.mp4").write_bytes(broken if count else broken[:-800])
    assert copies.reader(item, project.folder) is None
    assert len(made(copies, item, project)) == COUNT


def test_nothing_is_left_of_an_item_that_is_removed(copies: ScrubbingCopies, project: Project, item: ItemRow) -> None:
    made(copies, item, project)
    copies.remove(item.id, project.folder)
    assert files(project) == []


def test_nothing_is_left_of_an_item_that_is_removed_while_its_copy_is_made(
    copies: ScrubbingCopies, project: Project, item: ItemRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(monkeypatch)
    copies.reader(item, project.folder)
    assert held.begun.wait(PATIENCE)
    copies.remove(item.id, project.folder)
    held.go.set()
    copies._maker.shutdown()
    assert (files(project), held.frames) == ([], COUNT // 2)


def test_nothing_is_left_of_an_item_that_is_removed_as_its_copy_is_complete(
    copies: ScrubbingCopies, project: Project, item: ItemRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(source: Path, target: Path, before_each: Callable[[], None]) -> bool:
        copies.remove(item.id, project.folder)
        return write_scrubbing_copy(source, target, lambda: None)

    monkeypatch.setattr(scrubbing, "write_scrubbing_copy", write)
    copies.reader(item, project.folder)
    copies._maker.shutdown()
    assert files(project) == []


def test_a_stop_ends_a_copy_and_the_next_start_begins_anew(
    project: Project, item: ItemRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, copies = Held(monkeypatch), ScrubbingCopies(4, 0, lambda: False)
    copies.reader(item, project.folder)
    assert held.begun.wait(PATIENCE)
    copies._is_closed = True  # as `close` does first
    held.go.set()
    copies.close()
    assert files(project) == []
    again = ScrubbingCopies(4, 0, lambda: False)
    assert len(made(again, item, project)) == COUNT
    again.close()


def test_what_a_kill_left_goes_with_the_next_copy(copies: ScrubbingCopies, project: Project, item: ItemRow) -> None:
    left = project.folder / FOLDER / ".unfinished-left"
    left.mkdir(parents=True)
    (left / "other.mp4").write_bytes(b"half")
    made(copies, item, project)
    assert files(project) == [f"{item.id}.mp4"]


def test_no_copy_takes_the_room_that_is_to_stay_free(project: Project, item: ItemRow) -> None:
    copies = ScrubbingCopies(4, 2**62, lambda: False)
    assert copies.reader(item, project.folder) is None
    copies.close()
    assert not (project.folder / FOLDER).exists()


def test_a_copy_rests_while_the_device_works(project: Project, item: ItemRow, monkeypatch: pytest.MonkeyPatch) -> None:
    naps: list[float] = []
    monkeypatch.setattr(scrubbing.time, "sleep", naps.append)
    monkeypatch.setattr(scrubbing, "_PAUSES", 1000.0)
    copies = ScrubbingCopies(4, 0, lambda: len(naps) < 4)
    copies.reader(item, project.folder)
    copies._maker.shutdown()
    assert naps == 4 * [scrubbing._NAP]
    copies.close()


def test_old_copies_go_but_for_those_in_use(copies: ScrubbingCopies, project: Project, item: ItemRow) -> None:
    made(copies, item, project)
    other = project.folder / FOLDER / "itm_other.mp4"
    for path in (other, project.folder / FOLDER / f"{item.id}.mp4"):
        path.touch()
        os.utime(path, (0, time.time() - KEPT_SECONDS - 60))
    again = ScrubbingCopies(4, 0, lambda: False)
    made(again, item, project)
    again.close()
    remove_old_copies(project.folder)
    assert files(project) == [f"{item.id}.mp4"]


@pytest.mark.parametrize("kind", ["image", "images", "stream"])
def test_only_videos_have_copies(copies: ScrubbingCopies, project: Project, kind: str) -> None:
    item_id = project.add_item(kind, "x", "media/x", 0)  # type: ignore[arg-type]
    (item,) = [each for each in project.items() if each.id == item_id]
    assert copies.reader(item, project.folder) is None
    assert not copies._asked
