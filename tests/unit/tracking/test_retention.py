"""Memories on disk, and forked processes that inherit them."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from masklet.atomic_files import written_whole
from masklet.tracking.retention import Archive, Archives

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def in_a_child(work: Callable[[], object]) -> int:
    """Run `work` in a forked process and return its exit status."""
    process = os.fork()
    if not process:
        try:
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitpid(process, 0)[1]


def memory(value: float) -> dict[str, object]:
    return {"features": torch.full((2, 3), value), "reverse": False}


def test_a_child_that_ends_leaves_the_parents_files(tmp_path: Path) -> None:
    archives = Archives(tmp_path)
    archive = archives.new()
    archive.write(3, memory(1))
    assert in_a_child(archives._cleaning) == 0
    assert torch.equal(archive.read(3)["features"], torch.ones(2, 3))
    archives._cleaning()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("change", ["remove", "clear", "write"])
def test_what_a_child_changes_is_its_own(tmp_path: Path, change: str) -> None:
    archive = Archive(tmp_path / "1")
    archive.write(3, memory(1))
    arguments = {"remove": (3,), "clear": (), "write": (3, memory(2))}[change]
    assert in_a_child(lambda: getattr(archive, change)(*arguments)) == 0
    assert torch.equal(archive.read(3)["features"], torch.ones(2, 3))


def test_a_child_reads_what_it_inherited_and_what_it_wrote(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "1")
    archive.write(3, memory(1))

    def work() -> None:
        archive.write(4, memory(2))
        assert torch.equal(archive.read(3)["features"], torch.ones(2, 3))
        assert torch.equal(archive.read(4)["features"], torch.full((2, 3), 2.0))

    assert in_a_child(work) == 0
    assert 4 not in archive


def test_a_child_that_leaves_a_block_removes_no_file_that_its_parent_is_writing(tmp_path: Path) -> None:
    block = written_whole(tmp_path / "a.txt")
    unfinished = block.__enter__()
    unfinished.write_text("half")
    in_a_child(lambda: block.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None))
    assert unfinished.exists()
    block.__exit__(None, None, None)
    assert (tmp_path / "a.txt").read_text() == "half"
