"""What a user's projects take on the disk, and when it goes."""

import os
import sqlite3
import time
from pathlib import Path

import pytest

from masklet.server.database import FILE, Database
from masklet.server.limits import Limits
from masklet.server.messages import NewUpload
from masklet.server.problems import Problem
from masklet.server.projects import TRASH, TRASH_SECONDS, Project, Projects, new_id
from masklet.server.uploads import KEPT_SECONDS, Part, Uploads

SIZE = 1000
QUOTA = Limits(quota=3 * SIZE, least_free_disk=0)


def with_media(projects: Projects, project: Project, name: str) -> str:
    file = project.folder / "media" / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(bytes(SIZE))
    return projects.add_item(project, "image", name, f"media/{name}", SIZE)


def test_media_go_with_the_last_item_that_shows_them(projects: Projects, project: Project, tmp_path: Path) -> None:
    outside = tmp_path / "outside.jpg"
    outside.touch()
    first, second = (with_media(projects, project, "a.jpg") for _ in range(2))
    other, theirs = with_media(projects, project, "b.jpg"), projects.add_item(project, "image", "o", str(outside), 0)
    session = project.folder / "sessions" / first
    session.mkdir(parents=True)
    projects.remove_item(project, first)
    assert (project.folder / "media" / "a.jpg").exists()
    assert not session.exists()
    for each in (second, theirs):
        projects.remove_item(project, each)
    assert [path.name for path in (project.folder / "media").iterdir()] == ["b.jpg"]
    assert outside.exists(), "what was opened in place is not the server's"
    assert [each.id for each in project.items()] == [other]


def test_the_trash_counts_until_it_is_emptied(
    projects: Projects, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_media(projects, project, "a.jpg")
    assert projects.used_by("ann") == SIZE
    projects.remove(project)
    (projects.data / TRASH / "notes of somebody").mkdir()
    assert (projects.used_by("ann"), projects.used_by("an")) == (SIZE, 0)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + TRASH_SECONDS + 1)
    projects.empty_trash()
    assert projects.used_by("ann") == 0
    assert [path.name for path in (projects.data / TRASH).iterdir()] == ["notes of somebody"]


def test_many_uploads_at_once_stay_within_the_quota(projects: Projects, project: Project) -> None:
    uploads = Uploads(projects, QUOTA)
    begun = [uploads.begin(project, NewUpload(name="a", size=2 * SIZE, kind="image")) for _ in range(3)]
    uploads.append(begun[0], Part(0, 2 * SIZE - 1, 2 * SIZE), bytes(2 * SIZE))
    uploads.check_room("ann", SIZE)
    with pytest.raises(Problem, match="quota"):
        uploads.check_room("ann", SIZE + 1)
    with pytest.raises(Problem, match="quota"):
        uploads.begin(project, NewUpload(name="a", size=2 * SIZE, kind="image"))


def test_uploads_that_nobody_goes_on_with_end(projects: Projects, project: Project) -> None:
    uploads = Uploads(projects, QUOTA)
    old, new = (uploads.begin(project, NewUpload(name="a", size=SIZE, kind="image")) for _ in range(2))
    then = time.time() - KEPT_SECONDS - 1
    os.utime(old.data, (then, then))
    uploads.remove_old()
    assert (old.folder.exists(), new.folder.exists()) == (False, True)


def test_an_upload_that_was_finished_meanwhile_is_not_there(projects: Projects, project: Project) -> None:
    uploads = Uploads(projects, QUOTA)
    upload = uploads.begin(project, NewUpload(name="a", size=SIZE, kind="image"))
    upload.data.rename(projects.data / "imported")  # by the request that brought its last part
    for ask in (lambda: upload.offset, lambda: uploads.append(upload, Part(0, SIZE - 1, SIZE), bytes(SIZE))):
        with pytest.raises(Problem, match="nothing here"):
            ask()
    uploads.discard(upload)
    with pytest.raises(Problem, match="nothing here"):
        uploads.find("ann", upload.id)


def test_what_a_kill_or_damage_left_stops_nobody(
    projects: Projects, project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    unfinished, emptied, damaged = (projects.data / "ann" / new_id("prj") for _ in range(3))
    for folder in (unfinished, emptied, damaged):
        folder.mkdir()
    for folder in (unfinished, emptied):
        Database(folder).close()
    (emptied / "media").mkdir()
    (damaged / FILE).write_bytes(b"no database")
    again = Projects(projects.data)
    assert [each.id for each in again.of("ann")] == [project.id]
    assert [each.exists() for each in (unfinished, emptied, damaged)] == [False, True, True]
    assert "a project is left aside" in caplog.text
    again.close()


def test_a_project_that_finds_no_room_leaves_nothing(projects: Projects, monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> str:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("masklet.server.database.script", full)
    with pytest.raises(Problem) as caught:
        projects.make("bob", "p", [])
    assert caught.value.status_code == 507
    assert list((projects.data / "bob").iterdir()) == []
    assert projects.of("bob") == []
