"""A project moves to another machine in one file, with everything that was done in it, and nothing else."""

import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from tests.support.stored_items import RING, SHOWN, SIZE, bare_item, with_masks, written_frames

from masklet.errors import InvalidInputError
from masklet.server.acts import undo
from masklet.server.media_files import opened
from masklet.server.project_files import export_project, import_project
from masklet.server.projects import Project, Projects


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    (tmp_path / "here").mkdir()
    projects = Projects(tmp_path / "here")
    yield projects.make("ann", "juggling", [])
    projects.close()


@pytest.fixture
def archive(project: Project, tmp_path: Path) -> Path:
    """A project of a video that lies outside, exported while it is in use."""
    with_masks(bare_item(project, written_frames(tmp_path / "walk"), "images"), SHOWN)
    export_project(tmp_path / "here", "juggling", tmp_path / "p.zip")
    return tmp_path / "p.zip"


def changed(archive: Path, folder: Path, statement: str) -> Path:
    """The archive after a statement in its database."""
    with zipfile.ZipFile(archive) as content:
        content.extractall(folder / "unpacked")
    with closing(sqlite3.connect(folder / "unpacked/project.sqlite")) as connection, connection:
        connection.execute(statement)
    with zipfile.ZipFile(folder / "evil.zip", "w") as content:
        for path in (folder / "unpacked").rglob("*"):
            content.write(path, path.relative_to(folder / "unpacked"))
    return folder / "evil.zip"


def test_a_project_opens_elsewhere(project: Project, archive: Path, tmp_path: Path) -> None:
    assert import_project(tmp_path / "there", "local", archive) == project.id
    there = Projects(tmp_path / "there")
    moved = there.find("local", project.id)
    (row,) = moved.items()
    with opened(row, moved.folder) as reader:
        assert [int(reader[number][0, 0, 0]) for number in range(4)] == [0, 1, 2, 3]
    records = moved.records(row.id)
    assert records is not None
    masks = {(each.object, each.frame): each.mask.mask(*SIZE) for each in records.masks()}
    assert masks.keys() == SHOWN.keys()
    assert np.array_equal(masks[1, 2], RING)
    undo(moved.database, records.key)
    assert records.masks() == []
    there.close()
    with pytest.raises(InvalidInputError, match="is there already"):
        import_project(tmp_path / "there", "local", archive)
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["local"]


def test_projects_that_are_not_there(project: Project, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=rf"no project 'x' in .*; there are: {project.id} \(juggling\)"):
        export_project(tmp_path / "here", "x", tmp_path / "p.zip")
    (tmp_path / "p.zip").write_bytes(b"nothing")
    with pytest.raises(InvalidInputError, match="must be a zip"):
        import_project(tmp_path / "there", "local", tmp_path / "p.zip")


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("UPDATE item SET media='/etc/passwd'", "outside of it"),
        ("UPDATE item SET media='media/../../x.png'", "outside of it"),
        ("UPDATE change SET statement='ATTACH ''/tmp/x'' AS y'", "cannot be one of masklet's"),
        ("UPDATE change SET statement='DELETE FROM sqlite_master'", "cannot be one of masklet's"),
    ],
)
def test_files_that_want_more(archive: Path, tmp_path: Path, statement: str, problem: str) -> None:
    evil = changed(archive, tmp_path, statement)
    with pytest.raises(InvalidInputError, match=problem):
        import_project(tmp_path / "there", "local", evil)
    assert list((tmp_path / "there/local").iterdir()) == []


def test_triggers_of_others_stay_outside(archive: Path, project: Project, tmp_path: Path) -> None:
    evil = changed(archive, tmp_path, "CREATE TRIGGER evil AFTER INSERT ON run BEGIN DELETE FROM mask; END")
    import_project(tmp_path / "there", "local", evil)
    with closing(sqlite3.connect(tmp_path / "there/local" / project.id / "project.sqlite")) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type='trigger'")]
    assert names
    assert "evil" not in names
