"""One at a time in a folder."""

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.support.forked import found_in_fork

from masklet import file_locks
from masklet.errors import InvalidInputError
from masklet.file_locks import alone_in, folder_lock

HOLDS = """
import sys
from masklet.file_locks import folder_lock
with folder_lock(sys.argv[1]) as is_held:
    print(is_held, flush=True)
    sys.stdin.read()
"""


def test_a_second_holder_is_refused_until_the_first_has_ended(tmp_path: Path) -> None:
    with (
        alone_in(tmp_path, "training"),
        pytest.raises(InvalidInputError, match="Another training runs in"),
        alone_in(tmp_path, "training"),
    ):
        pass
    with alone_in(tmp_path, "training"):
        pass


def test_who_fails_lets_go(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), alone_in(tmp_path, "training"):
        raise KeyboardInterrupt
    with alone_in(tmp_path, "training"):
        pass


def test_other_processes_are_seen_until_they_are_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDS, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        with folder_lock(tmp_path) as is_held:
            assert is_held is False
        other.kill()
        other.wait()
    with folder_lock(tmp_path) as is_held:
        assert is_held is True


def test_without_locks_nobody_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_locks, "fcntl", None)
    with folder_lock(tmp_path) as is_held, alone_in(tmp_path, "training"):
        assert is_held is None


def test_a_forked_process_lets_go_of_nothing(tmp_path: Path) -> None:
    with ExitStack() as holding:
        holding.enter_context(alone_in(tmp_path, "training"))
        found_in_fork(holding.close)
        with folder_lock(tmp_path) as is_held:
            assert is_held is False
    with folder_lock(tmp_path) as is_held:
        assert is_held is True
