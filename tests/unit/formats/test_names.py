"""Names that are safe on every system, and that stay apart."""

import pytest

from masklet.formats.names import (
    MOST_BYTES,
    MOST_BYTES_OF_VIDEOS,
    frame_names,
    legal_category,
    safe_names,
    without_suffix,
)


@pytest.mark.parametrize(
    ("given", "safe"),
    [
        ("a/b", "a/b"),
        ("C:\\data\\a", "data/a"),
        ("../../etc/passwd", "etc/passwd"),
        ("/", "_"),
        ("..", "_"),
        ("", "_"),
        ("a:b", "a_b"),
        ("tab\tnew\nline", "tab_new_line"),
        ("trail. /a ", "trail/a"),
        ("con", "_con"),
        ("com1/NUL.tar", "_com1/_NUL.tar"),
        ("console", "console"),
    ],
)
def test_a_name_is_safe(given: str, safe: str) -> None:
    assert safe_names([given]) == [safe]


@pytest.mark.parametrize(
    ("one", "other"),
    [("a", "A"), ("\xe9", "e\u0301"), ("\u0390", "\u03aa\u0301"), ("a", "a."), ("b?", "b*"), ("aux", "_aux")],
)
def test_names_stay_apart_where_systems_take_them_for_one(one: str, other: str) -> None:
    first, second = safe_names([one, other])
    assert second == f"{safe_names([other])[0]}_2"
    assert first != second


def test_names_of_folders_become_a_part_that_fits() -> None:
    folder, file = "\xe4" * 120, "b" * 240
    (name,) = safe_names([f"{folder}/{file}"], is_flat=True)
    assert name.startswith(folder[:110])
    assert len(name.encode()) <= MOST_BYTES
    assert [len(each.encode()) for each in safe_names([f"{folder}/{file}"])[0].split("/")] == [MOST_BYTES, MOST_BYTES]


def test_frames_of_one_name_stay_apart_and_fit_behind_that_of_their_video() -> None:
    found = frame_names(["1-0", "1", "1", "1_2", "c" * 240])
    assert found[:4] == ["1_0", "1", "1_2", "1_2_2"]
    assert len(found[4]) == MOST_BYTES_OF_VIDEOS
    assert 2 * MOST_BYTES_OF_VIDEOS + len("-") <= MOST_BYTES + 1


@pytest.mark.parametrize(
    ("given", "without"),
    [
        ("a/b.tar.png", "a/b.tar"),
        ("a\\b.png", "a/b"),
        ("a:b.png", "a:b"),
        ("/", "/"),
        (".", ""),
        ("a/.", "a/"),
        ("x", "x"),
    ],
)
def test_suffixes_go_from_names_of_every_kind(given: str, without: str) -> None:
    assert without_suffix(given) == without


def test_categories_lose_what_no_file_holds() -> None:
    assert legal_category("a\ud800b\x07\uffff\U0001f600\n") == "ab\U0001f600\n"
