import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.jobs.letters import NAMES, Number, journal

from masklet.errors import InvalidInputError


def kept(folder: Path) -> list[Number | None]:
    opened = journal(folder)
    return [opened.get(name) for name in NAMES]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A journal of two of the letters."""
    opened = journal(tmp_path)
    for number, name in enumerate(NAMES[:2]):
        assert opened.get(name) is None
        opened.add(name, Number(number))
    return opened.path


def test_results_are_found_again(tmp_path: Path, file: Path) -> None:
    assert kept(tmp_path) == [Number(0), Number(1), None]


def test_a_result_whose_files_have_changed_is_none(tmp_path: Path, file: Path) -> None:
    (tmp_path / "a").write_text("new")
    opened = journal(tmp_path)
    assert opened.get("a") is None
    (tmp_path / "a").write_text("changed while it is worked on")
    opened.add("a", Number(7))
    assert kept(tmp_path) == [None, Number(1), None]


def test_a_line_that_was_cut_off_is_dropped(tmp_path: Path, file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-10])
    opened = journal(tmp_path)
    assert [opened.get(name) for name in NAMES] == [Number(0), None, None]
    opened.add("b", Number(1))
    assert kept(tmp_path) == [Number(0), Number(1), None]


def test_other_settings_are_refused(tmp_path: Path, file: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"begun with other settings \(setting: 1, now 2\)"):
        journal(tmp_path, setting=2)


def test_older_names_of_settings_are_read(tmp_path: Path, file: Path) -> None:
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join([lines[0].replace('"setting"', '"older"'), *lines[1:]]))
    assert journal(tmp_path, older={"older": "setting"}).get("a") == Number(0)
    with pytest.raises(InvalidInputError, match=r"setting: None, now 1"):
        journal(tmp_path)


@pytest.mark.parametrize("line", ["nothing", "[" * 5000])
def test_damaged_lines_are_named(tmp_path: Path, file: Path, line: str) -> None:
    file.write_text(f"{{}}\n{line}\n")
    with pytest.raises(InvalidInputError, match=r"finished\.jsonl is damaged"):
        journal(tmp_path)


@pytest.mark.parametrize("line", [{"value": "x", "state": "", "name": "z"}, {"value": 1, "name": "z"}, 3, [1]])
def test_foreign_lines_are_named(tmp_path: Path, file: Path, line: Any) -> None:
    with file.open("a") as opened:
        opened.write(json.dumps(line) + "\n")
    with pytest.raises(InvalidInputError, match=r"finished\.jsonl holds a line that is no result .*; delete the file"):
        journal(tmp_path)
