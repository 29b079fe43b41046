"""Folders whose content counts by one index."""

import json
import os
from pathlib import Path

import pytest
from tests.support.forked import found_in_fork

from masklet.committed_folder import FolderWriter, Part, checked_file, checked_lines, read_index
from masklet.errors import InvalidInputError

INDEX = "index.json"


def writer(folder: Path) -> FolderWriter:
    return FolderWriter(folder, INDEX, "saving")


def names_in(folder: Path) -> set[str]:
    return {path.name.partition("-")[0] for path in folder.iterdir()}


def written(path: Path, text: str = "whole") -> None:
    path.write_text(text)


def test_what_is_appended_counts_from_the_commit_on(tmp_path: Path) -> None:
    with writer(tmp_path) as folder:
        folder.append("lines.jsonl", b"one\n")
        first = folder.part("lines.jsonl")
        folder.commit({"lines": first.to_json()})
        folder.append("lines.jsonl", b"two\n")
        assert folder.size("lines.jsonl") == 8
        content, is_checked = read_index(tmp_path / INDEX)
        assert (content, is_checked) == ({"lines": first.to_json()}, True)
        assert list(checked_lines(tmp_path, Part.from_json(content["lines"]))) == [b"one\n"]
        folder.commit({"lines": folder.part("lines.jsonl").to_json()})
    content, _ = read_index(tmp_path / INDEX)
    assert list(checked_lines(tmp_path, Part.from_json(content["lines"]))) == [b"one\n", b"two\n"]


def test_superseded_files_and_those_of_earlier_writers_go_with_the_commit(tmp_path: Path) -> None:
    (tmp_path / "mine.safetensors").touch()
    with writer(tmp_path) as folder:
        folder.append("lines.jsonl", b"")
        folder.commit({"file": folder.put("old.safetensors", written).to_json()})
    with writer(tmp_path) as folder:
        first = folder.put("first.safetensors", written)
        assert names_in(tmp_path) == {".lock", INDEX, "mine.safetensors", "old", "lines", "first"}
        folder.commit({"file": first.to_json()})
        assert names_in(tmp_path) == {".lock", INDEX, "mine.safetensors", "first"}
        folder.supersede(first)
        second = folder.put("second.safetensors", written)
        assert checked_file(tmp_path, first).read_text() == "whole"
        folder.commit({"file": second.to_json()})
    assert names_in(tmp_path) == {".lock", INDEX, "mine.safetensors", "second"}


@pytest.mark.parametrize("is_durable", [True, False])
def test_the_disk_is_waited_for_on_request_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_durable: bool
) -> None:
    waits: list[int] = []
    monkeypatch.setattr(os, "fsync", waits.append)
    with FolderWriter(tmp_path, INDEX, "saving", is_durable=is_durable) as folder:
        folder.append("lines.jsonl", b"one\n")
        file = folder.put("file.safetensors", written)
        folder.commit({"file": file.to_json()})
    assert bool(waits) is is_durable
    assert read_index(tmp_path / INDEX)[0] == {"file": file.to_json()}


def test_a_writer_that_commits_nothing_leaves_what_was_there(tmp_path: Path) -> None:
    with writer(tmp_path / "new") as folder:
        folder.append("lines.jsonl", b"one\n")
        folder.put("file.safetensors", written)
    assert not (tmp_path / "new").exists()
    with writer(tmp_path) as folder:
        folder.commit({"file": folder.put("file.safetensors", written).to_json()})
    before = sorted(path for path in tmp_path.iterdir() if path.name != "new")
    with writer(tmp_path) as folder:
        folder.append("lines.jsonl", b"one\n")
    assert sorted(tmp_path.iterdir()) == before


def test_an_error_leaves_the_last_commit_and_nothing_half_written(tmp_path: Path) -> None:
    def half(path: Path) -> None:
        path.write_text("ha")
        raise OSError("No space left on device")

    with writer(tmp_path) as folder:
        folder.append("lines.jsonl", b"one\n")
        part = folder.part("lines.jsonl")
        folder.commit({"lines": part.to_json()})
        folder.append("lines.jsonl", b"half")
        with pytest.raises(OSError, match="No space"):
            folder.put("file.safetensors", half)
        folder.begin_anew()
        assert names_in(tmp_path) == {".lock", INDEX, "lines"}
        assert list(checked_lines(tmp_path, part)) == [b"one\n"]
        folder.append("lines.jsonl", b"two\n")
        folder.commit({"lines": folder.part("lines.jsonl").to_json()})
    (lines,) = tmp_path.glob("lines-*")
    assert lines.read_bytes() == b"two\n"


def test_files_that_a_commit_may_name_stay_though_it_ends_by_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index was renamed, and only then something failed."""
    replace = os.replace

    def replaced_and_failed(source: Path, target: Path) -> None:
        replace(source, target)
        raise OSError("I/O error")

    with writer(tmp_path) as folder, monkeypatch.context() as patched:
        patched.setattr(os, "replace", replaced_and_failed)
        part = folder.put("file.safetensors", written)
        with pytest.raises(OSError, match="I/O"):
            folder.commit({"file": part.to_json()})
        folder.begin_anew()
    assert checked_file(tmp_path, Part.from_json(read_index(tmp_path / INDEX)[0]["file"])).read_text() == "whole"


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(NotADirectoryError, match="a folder is needed, a file is in its place"):
        writer(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_discarded_folder_keeps_what_is_not_its_own(tmp_path: Path) -> None:
    for name, left in (("alone", None), ("shared", ["mine.txt"])):
        folder = writer(tmp_path / name)
        folder.commit({"file": folder.put("file.safetensors", written).to_json()})
        if left:
            (tmp_path / name / "mine.txt").touch()
        folder.discard()
        assert left == ([path.name for path in (tmp_path / name).iterdir()] if left else None)
    assert not (tmp_path / "alone").exists()


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    with writer(tmp_path), pytest.raises(InvalidInputError, match="Another saving runs in"):
        writer(tmp_path)
    writer(tmp_path).close()


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda path: path.unlink(), "is missing"),
        (lambda path: path.write_text("whoLe"), "its checksum is another one"),
        (lambda path: path.write_text("whol"), "its checksum is another one"),
        (lambda path: path.write_text("whole, and more"), "has 15 bytes, not 5"),
        (lambda path: (path.unlink(), path.mkdir()), "is missing"),
    ],
)
def test_damaged_files(tmp_path: Path, damage: object, complaint: str) -> None:
    with writer(tmp_path) as folder:
        part = folder.put("file.safetensors", written)
        folder.commit({})
    damage(tmp_path / part.file)  # type: ignore[operator]
    with pytest.raises(InvalidInputError, match=complaint):
        checked_file(tmp_path, part)


@pytest.mark.parametrize(
    "value",
    [None, [], ["../secret", 1, 1], ["/etc/passwd", 1, 1], ["a-b.jsonl", 1, 1], {"file": 1}, [f"a-{32 * '0'}", 1, 1]],
)
def test_parts_name_data_files_only(value: object) -> None:
    with pytest.raises(InvalidInputError, match="its name, bytes, CRC-32"):
        Part.from_json(value)


def test_a_changed_index_is_noticed_unless_only_its_layout_is_another(tmp_path: Path) -> None:
    with writer(tmp_path) as folder:
        folder.commit({"a": [1, 2.5, None], "b": {"c": "d"}})
    content = json.loads((tmp_path / INDEX).read_text())
    (tmp_path / INDEX).write_text(json.dumps(content, sort_keys=True, indent=7))
    assert read_index(tmp_path / INDEX) == ({"a": [1, 2.5, None], "b": {"c": "d"}}, True)
    (tmp_path / INDEX).write_text(json.dumps({**content, "a": [1, 2.5, 0]}))
    with pytest.raises(InvalidInputError, match="is damaged"):
        read_index(tmp_path / INDEX)


def test_what_cannot_be_written_any_more_does_not_stand_in_the_way_of_a_new_beginning(tmp_path: Path) -> None:
    """As on a full disk: closing a file writes what is left of it, and fails once more."""
    with writer(tmp_path) as folder:
        folder.append("masks.jsonl", b"lost")
        os.close(folder._growing["masks.jsonl"]._file.fileno())
        with pytest.raises(OSError, match="Bad file descriptor"):
            folder.commit({})
        folder.begin_anew()
        folder.append("masks.jsonl", b"kept")
        part = folder.part("masks.jsonl")
        folder.commit({})
    assert (tmp_path / part.file).read_bytes() == b"kept"


def test_a_process_forked_meanwhile_changes_nothing(tmp_path: Path) -> None:
    def use() -> None:
        for act in (
            lambda: folder.append("lines.jsonl", b"of the child"),
            lambda: folder.put("more.jsonl", written),
            lambda: folder.commit({}),
            folder.begin_anew,
            folder.discard,
        ):
            with pytest.raises(OSError, match="process that this one was forked from"):
                act()
        folder.close()

    with writer(tmp_path / "new") as folder:
        folder.append("lines.jsonl", b"of the ")
        found_in_fork(use)
        with pytest.raises(InvalidInputError, match="Another saving"):
            writer(tmp_path / "new")
        folder.append("lines.jsonl", b"parent")
        folder.commit({"lines": folder.part("lines.jsonl").to_json()})
    content, _ = read_index(tmp_path / "new" / INDEX)
    assert list(checked_lines(tmp_path / "new", Part.from_json(content["lines"]))) == [b"of the parent"]


def test_nothing_waits_in_a_buffer_that_a_forked_process_would_write(tmp_path: Path) -> None:
    with writer(tmp_path) as folder:
        folder.append("lines.jsonl", b"once")
        (path,) = tmp_path.glob("lines-*")
        assert path.read_bytes() == b"once"
