"""Files that are complete or absent."""

import errno
import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.forked import found_in_fork

from masklet.atomic_files import (
    check_file_writable,
    check_writable,
    finish_moves,
    folder_written_whole,
    remove_unfinished,
    written_whole,
)


def names_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_file_appears_when_it_is_complete(tmp_path: Path) -> None:
    final = tmp_path / "new" / "picture.png"
    with written_whole(final) as unfinished:
        assert unfinished.suffix == ".png"  # writers choose their format by it
        unfinished.write_text("half")
        assert not final.exists()
        unfinished.write_text("whole")
    assert final.read_text() == "whole"
    assert names_in(tmp_path) == ["new", "new/picture.png"]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_after_an_error_the_old_file_is_still_there(tmp_path: Path, error: type[BaseException]) -> None:
    final = tmp_path / "notes.txt"
    final.write_text("old")

    def write() -> None:
        with written_whole(final) as unfinished:
            unfinished.write_text("half")
            raise error

    with pytest.raises(error):
        write()
    assert final.read_text() == "old"
    assert names_in(tmp_path) == ["notes.txt"]


def test_files_get_the_usual_permissions(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with written_whole(tmp_path / "file") as unfinished:
            unfinished.write_text("content")
        with folder_written_whole(tmp_path / "folder") as folder:
            (folder / "file").write_text("content")
    finally:
        assert os.umask(before) == 0o027
    for path in (tmp_path / "file", tmp_path / "folder" / "file"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_folder_gets_all_files_at_once_and_keeps_others(tmp_path: Path) -> None:
    final = tmp_path / "model"
    final.mkdir()
    (final / "readme").write_text("mine")
    (final / "config").write_text("old")
    with folder_written_whole(final) as unfinished:
        (unfinished / "config").write_text("new")
        (unfinished / "weights").write_text("w")
        assert {path.name: path.read_text() for path in final.iterdir() if path.is_file()} == {
            "config": "old",
            "readme": "mine",
        }
    assert {path.name: path.read_text() for path in final.iterdir()} == {
        "config": "new",
        "readme": "mine",
        "weights": "w",
    }
    assert names_in(tmp_path) == ["model", "model/config", "model/readme", "model/weights"]


@pytest.mark.parametrize("exists", [True, False])
def test_after_an_error_a_folder_is_as_it_was(tmp_path: Path, exists: bool) -> None:
    final = tmp_path / "models" / "model"
    if exists:
        final.mkdir(parents=True)
        (final / "config").write_text("old")
    before = names_in(tmp_path)

    def write() -> None:
        with folder_written_whole(final) as unfinished:
            (unfinished / "config").write_text("new")
            raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space left"):
        write()
    assert names_in(tmp_path) == before
    assert not exists or (final / "config").read_text() == "old"


def test_a_folder_on_another_disk_is_written_there(tmp_path: Path) -> None:
    elsewhere = Path("/dev/shm")
    if not elsewhere.is_dir() or elsewhere.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("needs a second file system")
    with tempfile.TemporaryDirectory(dir=elsewhere) as target:
        link = tmp_path / "link"
        link.symlink_to(target)
        with folder_written_whole(link) as unfinished:
            (unfinished / "config").write_text("new")
        assert names_in(Path(target)) == ["config"]
        assert link.is_symlink()


def test_folders_that_can_be_written(tmp_path: Path) -> None:
    check_writable(tmp_path)
    check_writable(tmp_path / "new" / "newer")
    check_file_writable(tmp_path / "new" / "file.json")
    assert names_in(tmp_path) == []


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "link.json").symlink_to(tmp_path / "disk" / "file.json")
    with written_whole(tmp_path / "link.json") as unfinished:
        unfinished.write_text("whole")
    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "disk" / "file.json").read_text() == "whole"


def test_a_device_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="this is a device"):
        check_file_writable(tmp_path / "pipe")
    with pytest.raises(OSError, match="this is a device"), written_whole(tmp_path / "pipe"):
        raise AssertionError
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_errors_of_what_cannot_be_written_name_what_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    for check, below in ((check_writable, "file"), (check_writable, "file/folder"), (check_file_writable, "file/new")):
        with pytest.raises(NotADirectoryError, match="Not a directory") as raised:
            check(tmp_path / below)
        assert raised.value.filename == str(tmp_path / below)
    with pytest.raises(IsADirectoryError, match="a file is needed"):
        check_file_writable(tmp_path)

    def refuse(*, dir: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(dir / "tmp12345678"))

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)  # a superuser may write anywhere
    with pytest.raises(PermissionError, match="Permission denied") as denied:
        check_writable(tmp_path / "new")
    assert denied.value.filename == str(tmp_path / "new")
    assert "tmp12345678" not in str(denied.value)


@pytest.mark.parametrize("below", ["file", "file/folder"])
def test_a_file_in_the_place_of_a_folder_is_named(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").touch()
    for write in (folder_written_whole(tmp_path / below), written_whole(tmp_path / below / "new")):
        with pytest.raises(NotADirectoryError, match="a folder is needed, a file is in its place") as raised, write:
            raise AssertionError
        assert raised.value.filename == str(tmp_path / below)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


KILLED_WHILE_WRITING = """
import os, signal, sys
from masklet.atomic_files import {writer}
with {writer}(sys.argv[1]) as unfinished:
    (unfinished / "half" if unfinished.is_dir() else unfinished).write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def kill_while_writing(path: Path, writer: str) -> None:
    program = KILLED_WHILE_WRITING.format(writer=writer)
    assert subprocess.run([sys.executable, "-c", program, str(path)], check=False).returncode == -signal.SIGKILL


def unfinished_in(folder: Path) -> list[Path]:
    return list(folder.rglob(".unfinished-*"))


@pytest.mark.parametrize("below", [".", "below"])
def test_what_killed_writers_left_is_removed_and_what_others_are_writing_stays(tmp_path: Path, below: str) -> None:
    folder = tmp_path / below
    kill_while_writing(folder, "folder_written_whole")
    kill_while_writing(folder / "file.txt", "written_whole")
    (tmp_path / ".unfinished-of-an-older-version.png").write_text("half")
    assert len(unfinished_in(tmp_path)) == 3
    with written_whole(folder / "file.txt") as unfinished:
        unfinished.write_text("whole")
        remove_unfinished(tmp_path)
        assert unfinished_in(tmp_path) == [unfinished.parent]
    assert (folder / "file.txt").read_text() == "whole"
    assert unfinished_in(tmp_path) == []


def test_the_next_writer_of_a_folder_removes_what_killed_ones_left(tmp_path: Path) -> None:
    kill_while_writing(tmp_path, "folder_written_whole")
    with folder_written_whole(tmp_path) as other, folder_written_whole(tmp_path) as unfinished:
        assert len(unfinished_in(tmp_path)) == 2  # of two living writers
        (other / "one").write_text("1")
        (unfinished / "two").write_text("2")
    assert names_in(tmp_path) == ["one", "two"]


def test_a_place_that_was_tidied_away_before_it_was_held_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, made = tempfile.mkdtemp, []

    def tidied_once(**options: object) -> str:
        made.append(make(**options))
        if len(made) == 1:
            os.rmdir(made[0])
        return made[-1]

    monkeypatch.setattr(tempfile, "mkdtemp", tidied_once)
    with written_whole(tmp_path / "file.txt") as unfinished:
        unfinished.write_text("whole")
    assert (len(made), names_in(tmp_path)) == (2, ["file.txt"])


def test_durable_files_are_synced_before_they_get_their_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda descriptor: (seen.append((tmp_path / "a").exists()), fsync(descriptor)))
    with written_whole(tmp_path / "a", durable=True) as unfinished:
        unfinished.write_text("whole")
    assert seen == [False, True]  # the content, then its name


KILLED_WHILE_MOVING = """
import os, re, signal, sys
from masklet.atomic_files import folder_written_whole
replace, calls = os.replace, []
def killed_before(source, target):
    calls.append(target)
    if len(calls) == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
    replace(source, target)
os.replace = killed_before
with folder_written_whole(sys.argv[1], replaces=re.compile("part.*")) as unfinished:
    for name in ("config", "part-1", "part-2"):
        (unfinished / name).write_text("new")
"""
OLD = {"config": "old", "part-1": "old", "part-3": "old", "notes": "mine"}
NEW = {"config": "new", "part-1": "new", "part-2": "new", "notes": "mine"}


def texts_in(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize("nth", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("finish", [finish_moves, remove_unfinished])
def test_a_folder_is_of_one_version_wherever_its_writer_was_killed(
    tmp_path: Path, nth: int, finish: Callable[[Path], None]
) -> None:
    for name, text in OLD.items():
        (tmp_path / name).write_text(text)
    command = [sys.executable, "-c", KILLED_WHILE_MOVING, str(tmp_path), str(nth)]
    is_killed = subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert is_killed == (nth < 5)
    finish(tmp_path)
    assert texts_in(tmp_path) == (OLD if nth == 1 else NEW)
    remove_unfinished(tmp_path)
    assert unfinished_in(tmp_path) == []


def test_an_error_while_files_are_moved_loses_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace = os.replace

    def refused(source: Path, target: Path) -> None:
        if target.name == "weights":
            raise PermissionError(errno.EACCES, "Permission denied", str(target))
        replace(source, target)

    def write() -> None:
        with folder_written_whole(tmp_path / "model") as unfinished:
            (unfinished / "config").write_text("new")
            (unfinished / "weights").write_text("new")

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", refused)
        with pytest.raises(PermissionError):
            write()
        with pytest.raises(PermissionError):
            finish_moves(tmp_path / "model")
    finish_moves(tmp_path / "model")
    assert texts_in(tmp_path / "model") == {"config": "new", "weights": "new"}
    assert unfinished_in(tmp_path) == []


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """A folder elsewhere, with a file that nobody meant to give away."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "key").write_text("secret")
    return tmp_path / "elsewhere"


@pytest.mark.parametrize("linked", ["the place", "complete", "gone.json", ".lock"])
@pytest.mark.parametrize("tidy", [finish_moves, remove_unfinished])
def test_no_link_leads_out_of_a_folder_that_came_from_elsewhere(
    tmp_path: Path, victim: Path, linked: str, tidy: Callable[[Path], None]
) -> None:
    folder, place = tmp_path / "unpacked", tmp_path / "unpacked" / ".unfinished-a"
    (place / "complete").mkdir(parents=True)
    (place / "gone.json").write_text("[]")
    if linked == "the place":
        (victim / "complete").mkdir()
        place.rename(tmp_path / "moved")
        place.symlink_to(victim)
    elif linked == "complete":
        (place / "complete").rmdir()
        (place / "complete").symlink_to(victim)
    elif linked == "gone.json":
        (place / "gone.json").unlink()
        (place / "gone.json").symlink_to(victim / "key")
    else:
        (place / ".lock").symlink_to(victim / "key")
    try:
        tidy(folder)
    except OSError as error:
        assert linked == ".lock", error  # noqa: PT017
    assert (victim / "key").read_text() == "secret"
    assert not (folder / "key").exists()


@pytest.mark.parametrize("content", ["", "{", "3", "[3]", "[" * 100_000])
def test_a_damaged_list_of_replaced_files_is_an_error_of_the_system(tmp_path: Path, content: str) -> None:
    (tmp_path / ".unfinished-a" / "complete").mkdir(parents=True)
    (tmp_path / ".unfinished-a" / "gone.json").write_text(content)
    with pytest.raises(OSError, match="list of replaced files is damaged"):
        finish_moves(tmp_path)


@pytest.mark.parametrize("write", [written_whole, folder_written_whole])
@pytest.mark.parametrize("error", [None, SystemExit()])
def test_a_process_forked_meanwhile_changes_nothing(write: Any, error: BaseException | None, tmp_path: Path) -> None:
    def leave() -> None:
        if error is not None:
            assert writing.__exit__(type(error), error, None) is False
            return
        with pytest.raises(OSError, match="process that this one was forked from"):
            writing.__exit__(None, None, None)

    writing = write(tmp_path / "new")
    unfinished = writing.__enter__()
    found_in_fork(leave)
    assert unfinished.exists()
    assert not (tmp_path / "new").is_file()
    (unfinished if unfinished.is_file() else unfinished / "part").write_text("of the parent")
    writing.__exit__(None, None, None)
    written = tmp_path / "new"
    assert (written / "part" if written.is_dir() else written).read_text() == "of the parent"


def test_a_link_to_itself_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with written_whole(tmp_path / "loop") as unfinished:
        unfinished.write_text("whole")
    assert (tmp_path / "loop").read_text() == "whole"
