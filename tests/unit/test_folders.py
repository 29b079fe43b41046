import os
import time

import pytest
from tests.support.litter import litter

from masklet.folders import bytes_of, entries, folders_in, is_system_entry, matching, unchanged_for


@pytest.mark.parametrize(
    "name",
    [
        ".DS_Store",
        "._00000.png",
        ".ipynb_checkpoints",
        ".unfinished-masks",
        "__MACOSX",
        "Icon\r",
        "@eaDir",
        "@EADIR",
        "#recycle",
        "$RECYCLE.BIN",
        "System Volume Information",
        "Thumbs.db",
        "thumbs.db",
        "desktop.ini",
        "lost+found",
        "00000.jpg:Zone.Identifier",
    ],
)
def test_hidden_and_system_names(name):
    assert is_system_entry(name)


@pytest.mark.parametrize(
    "name",
    ["_annotations.coco.json", "@home.jpg", "#1.png", "$5.png", "thumbs.png", "__init__.jpg", "a.b", "12:30:05.jpg"],
)
def test_names_that_people_give(name):
    assert not is_system_entry(name)


def test_listings_are_sorted_and_without_litter(tmp_path):
    for name in ("b", "a/inner"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("z.json", "c.json", "a/inner/d.json", "a/e.txt"):
        (tmp_path / name).write_text("{}")
    litter(tmp_path)
    assert [each.name for each in entries(tmp_path)] == ["a", "b", "c.json", "z.json"]
    assert folders_in(tmp_path) == [tmp_path / "a", tmp_path / "b"]
    assert matching(tmp_path, "*.json") == [tmp_path / "c.json", tmp_path / "z.json"]
    assert matching(tmp_path, "**/*.json") == [tmp_path / each for each in ("a/inner/d.json", "c.json", "z.json")]
    assert matching(tmp_path, "*/*/*.json") == [tmp_path / "a/inner/d.json"]


def test_a_folder_that_is_hidden_itself_is_read(tmp_path):
    """`~/.cache/data` was named by the user."""
    folder = tmp_path / ".cache/@eaDir/data"
    folder.mkdir(parents=True)
    (folder / "a.json").write_text("{}")
    assert matching(folder, "**/*.json") == entries(folder) == [folder / "a.json"]


def test_what_is_no_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        entries(tmp_path / "nowhere")
    assert folders_in(tmp_path / "nowhere") == matching(tmp_path / "nowhere", "*") == []


def test_what_is_removed_meanwhile_counts_no_more(tmp_path):
    """Listed and gone when it is asked about, as a link to nowhere is."""
    (tmp_path / "old").write_bytes(bytes(5))
    (tmp_path / "new").write_bytes(bytes(7))
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    (tmp_path / "folder").mkdir()
    os.utime(tmp_path / "old", (0, time.time() - 60))
    assert bytes_of(tmp_path, "*") == 12
    assert unchanged_for(tmp_path, "*", 30) == [tmp_path / "old"]
