"""Whether files are still those that something was measured from."""

import hashlib
from collections.abc import Iterable
from pathlib import Path


def state_of(files: Iterable[Path]) -> str:
    """Return what changes when one of `files` is written anew: a hash of their names, sizes and modification times.

    A file that is missing has a state, too.
    """
    return hashlib.sha256(repr([_state(path) for path in files]).encode()).hexdigest()


def _state(path: Path) -> tuple[str, int, int]:
    try:
        status = path.stat()
    except FileNotFoundError:
        return str(path.absolute()), -1, 0
    return str(path.absolute()), status.st_size, status.st_mtime_ns
