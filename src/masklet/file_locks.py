"""Locks on folders, which the operating system lifts however their holder ends: by return, error or kill."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from masklet.errors import InvalidInputError

try:
    import fcntl
except ImportError:  # Windows: folders cannot be held there
    fcntl = None  # type: ignore[assignment]

LOCK_FILE = ".lock"


@contextmanager
def folder_lock(folder: str | os.PathLike[str], *, waits: bool = False) -> Iterator[bool | None]:
    """Try to hold an existing folder within the block; yield whether that succeeded.

    A process that is forked within the block and leaves it lets go of nothing: the folder is its parent's.

    Args:
        folder: the folder.
        waits: whether to wait until nobody else holds it.

    Yields:
        True: held; every other try fails until the block ends, in this process as in others.
        False: somebody else holds it.
        None: this system, or the folder's disk, has no locks.

    Raises:
        OSError: if the lock file in the folder cannot be opened.
    """
    if fcntl is None:
        yield None
        return
    # A link in a folder that came from elsewhere is not followed: the file it points to would be made, or held.
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    with os.fdopen(os.open(Path(folder) / LOCK_FILE, flags, 0o666), "r+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if waits else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        except OSError:
            yield None
            return
        process = os.getpid()
        try:
            yield True
        finally:
            if os.getpid() == process:
                fcntl.flock(lock, fcntl.LOCK_UN)  # closing alone would not: forked processes have the file open, too


@contextmanager
def alone_in(folder: str | os.PathLike[str], work: str) -> Iterator[None]:
    """Hold `folder` within the block, where locks exist.

    Args:
        folder: an existing folder.
        work: what is done there, for the message.

    Raises:
        InvalidInputError: if somebody else holds the folder.
    """
    with folder_lock(folder) as is_held:
        if is_held is False:
            raise InvalidInputError(f"Another {work} runs in {os.fspath(folder)}; give this one another folder.")
        yield
