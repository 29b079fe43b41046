"""What a person does to an item: each act is one commit, and can be undone and redone.

Triggers (`schema.py`) note the statement that takes back each change of a row. Undoing runs these statements, while the
same triggers note how to redo. Masks are never deleted for it: each belongs to a run, and the run is hidden.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from masklet.server.database import Database
from masklet.server.problems import Problem, conflict


@dataclass(frozen=True)
class Act:
    """An act under way: the connection to write to, the key of the item, and the revision that it will have."""

    connection: sqlite3.Connection
    item: int
    revision: int


@contextmanager
def act(database: Database, item: int, kind: str, if_revision: int | None = None) -> Iterator[Act]:
    """Change an item within the block, in one commit that is on the disk after it.

    What was undone before can not be redone afterwards. Problem if the item moved on from `if_revision`.
    """
    with database.writing() as connection:
        revision = _next_revision(connection, item, if_revision)
        connection.execute("DELETE FROM operation WHERE item=? AND undone", (item,))
        number = 1 + _count(connection, "SELECT MAX(number) FROM operation WHERE item=?", item)
        connection.execute("INSERT INTO operation(item, number, kind) VALUES(?, ?, ?)", (item, number, kind))
        with _journalled(connection, item, number):
            yield Act(connection, item, revision)


def record_run(connection: sqlite3.Connection, item: int, kind: str, statements: list[str]) -> None:
    """Add an act whose masks were committed on the way, with the statements that take it back."""
    connection.execute("DELETE FROM operation WHERE item=? AND undone", (item,))
    number = 1 + _count(connection, "SELECT MAX(number) FROM operation WHERE item=?", item)
    connection.execute("INSERT INTO operation(item, number, kind) VALUES(?, ?, ?)", (item, number, kind))
    rows = [(item, number, each) for each in statements]
    connection.executemany("INSERT INTO change(item, operation, statement) VALUES(?, ?, ?)", rows)


def undo(database: Database, item: int, if_revision: int | None = None) -> int:
    """Take the last act back, and return the revision; Problem if there is none."""
    return _turn(database, item, if_revision, is_undo=True)


def redo(database: Database, item: int, if_revision: int | None = None) -> int:
    """Do again what was taken back last, and return the revision; Problem if there is nothing."""
    return _turn(database, item, if_revision, is_undo=False)


def _turn(database: Database, item: int, if_revision: int | None, *, is_undo: bool) -> int:
    with database.writing() as connection:
        revision = _next_revision(connection, item, if_revision)
        which = "MAX(number) FROM operation WHERE item=? AND NOT undone"
        if not is_undo:
            which = "MIN(number) FROM operation WHERE item=? AND undone"
        number = _count(connection, f"SELECT {which}", item)
        if not number:
            raise conflict(f"There is nothing to {'undo' if is_undo else 'redo'}.")
        query = "SELECT statement FROM change WHERE item=? AND operation=? ORDER BY id DESC"
        statements = [row[0] for row in connection.execute(query, (item, number))]
        connection.execute("DELETE FROM change WHERE item=? AND operation=?", (item, number))
        connection.execute("UPDATE operation SET undone=? WHERE item=? AND number=?", (is_undo, item, number))
        with _journalled(connection, item, number):
            for statement in statements:
                connection.execute(statement)
        return revision


@contextmanager
def _journalled(connection: sqlite3.Connection, item: int, operation: int) -> Iterator[None]:
    connection.execute("UPDATE journal SET item=?, operation=?", (item, operation))
    yield
    connection.execute("UPDATE journal SET item=NULL, operation=NULL")


def _next_revision(connection: sqlite3.Connection, item: int, expected: int | None) -> int:
    row = connection.execute("SELECT revision FROM item WHERE key=?", (item,)).fetchone()
    if row is None:
        raise Problem(404, "not_found", "The item is gone.")
    if expected is not None and expected != row[0]:
        raise conflict(f"The item is at revision {row[0]}, not {expected}.")
    connection.execute("UPDATE item SET revision=revision+1 WHERE key=?", (item,))
    return int(row[0]) + 1


def _count(connection: sqlite3.Connection, query: str, item: int) -> int:
    return int(connection.execute(query, (item,)).fetchone()[0] or 0)
