"""One training at a time in a run's folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from masklet.errors import InvalidInputError

try:
    import fcntl
except ImportError:  # Windows: two trainings in one folder go unnoticed there
    fcntl = None  # type: ignore[assignment]

LOCK_FILE = ".lock"


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold `folder` for this process; however it ends, the system lets go of the folder.

    Raises `InvalidInputError` if another process holds it.
    """
    with (folder / LOCK_FILE).open("w") as lock:
        if fcntl is not None:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise InvalidInputError(f"Another training runs in {folder}; give this one another folder.") from error
        yield
