"""The SQLite file of a project: everything a person did, and every mask."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock

from masklet.errors import InvalidInputError
from masklet.server.problems import of_full_disk
from masklet.server.schema import FORMAT, later, script

FILE = "project.sqlite"


class Database:
    """One connection to a project's file, which any thread may use, one at a time.

    Args:
        folder: of the project; a new file is made where there is none.

    Raises:
        InvalidInputError: if the file is damaged, or of another version.
        Problem: if the disk is full.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self._lock = RLock()
        try:
            self._connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
            self._connection.row_factory = sqlite3.Row
            self._prepare()
        except sqlite3.DatabaseError as error:
            if (problem := of_full_disk(error)) is not None:
                raise problem from error
            raise InvalidInputError(f"{self.path} is no readable project: {error}.") from error

    def _prepare(self) -> None:
        run = self._connection.execute
        run("PRAGMA journal_mode=WAL")
        run("PRAGMA foreign_keys=ON")
        (version,) = run("PRAGMA user_version").fetchone()
        if version == 0:
            self._connection.executescript(f"BEGIN; {script()} PRAGMA user_version={FORMAT}; COMMIT;")
        elif version > FORMAT:
            raise InvalidInputError(f"{self.path} has format {version}; this version reads up to {FORMAT}.")
        for older in range(version or FORMAT, FORMAT):
            self._connection.executescript(f"BEGIN; {later(older)} PRAGMA user_version={older + 1}; COMMIT;")
        (found,) = run("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise InvalidInputError(f"{self.path} is damaged: {found}.")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Read within the block; nothing is written meanwhile."""
        with self._lock:
            yield self._connection

    @contextmanager
    def writing(self, *, durable: bool = True) -> Iterator[sqlite3.Connection]:
        """Write within the block: all of it is there after the block, or nothing if it raises.

        Args:
            durable: whether it is on the disk itself by then, so that it survives a loss of power.

        Raises:
            Problem: if the disk is full.
        """
        with self._lock:
            run = self._connection.execute
            run(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
            run("BEGIN IMMEDIATE")
            try:
                yield self._connection
                run("COMMIT")
            except BaseException as error:
                if self._connection.in_transaction:
                    run("ROLLBACK")
                if (problem := of_full_disk(error)) is not None:
                    raise problem from error
                raise

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()
