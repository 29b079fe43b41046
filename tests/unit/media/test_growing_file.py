"""A file that a forked process and its parent do not share."""

import os
from collections.abc import Iterator
from contextlib import closing

import pytest
from tests.support.forked import found_in_fork

from masklet.media import growing_file
from masklet.media.growing_file import GrowingFile


@pytest.fixture
def file() -> Iterator[GrowingFile]:
    with closing(GrowingFile()) as file:
        yield file


def test_what_was_appended_is_read_by_its_place(file: GrowingFile) -> None:
    assert [file.append(content) for content in (b"one", b"", b"two")] == [0, 3, 3]
    assert (file.size, file.read(1, 4), file.read(3, 99)) == (6, b"netw", b"two")


def test_parent_and_child_append_and_read_without_harming_each_other(
    file: GrowingFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(growing_file, "PIECE", 4)
    file.append(b"of both ")

    def in_child() -> bytes:
        before = file.read(0, 99)
        file.append(b"of the child")
        read = before + b"|" + file.read(0, 99)
        file.close()
        return read

    assert found_in_fork(in_child) == b"of both |of both of the child"
    file.append(b"of the parent")
    assert file.read(0, 99) == b"of both of the parent"
    assert found_in_fork(lambda: found_in_fork(lambda: file.read(3, 99))) == b"both of the parent"


def test_a_full_disk_leaves_what_was_there(file: GrowingFile, monkeypatch: pytest.MonkeyPatch) -> None:
    file.append(b"whole")
    write = os.pwrite
    with monkeypatch.context() as patched:
        left = [3]  # bytes that still fit

        def write_a_little(descriptor: int, content: bytes, place: int) -> int:
            if not left[0]:
                raise OSError(28, "No space left on device")
            written = write(descriptor, content[: left[0]], place)
            left[0] -= written
            return written

        patched.setattr(os, "pwrite", write_a_little)
        with pytest.raises(OSError, match="No space"):
            file.append(b"too much")
    assert file.append(b"fits") == 5
    assert file.read(0, 99) == b"wholefits"


def test_a_system_that_reads_at_no_place(file: GrowingFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows."""
    monkeypatch.delattr(os, "pread")
    monkeypatch.delattr(os, "pwrite")
    test_what_was_appended_is_read_by_its_place(file)
