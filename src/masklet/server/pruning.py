"""How much of replaced masks is kept for undoing: the last ones of each object and frame, and not too many bytes."""

import sqlite3

from masklet.server.item_records import ItemRecords
from masklet.server.limits import GIB
from masklet.server.packets import State

KEPT_RUNS = 10
KEPT_BYTES = 2 * GIB

_HIDDEN = """
SELECT item, object, frame, run, place FROM (
    SELECT f.item, f.object, f.frame, f.run,
        ROW_NUMBER() OVER (PARTITION BY f.item, f.object, f.frame ORDER BY f.run DESC) AS place,
        MAX(CASE WHEN r.active THEN f.run END) OVER (PARTITION BY f.item, f.object, f.frame) AS shown
    FROM frame_stat f JOIN run r ON r.id = f.run WHERE r.kind = 'track' {items}
) WHERE run IS NOT shown
"""
"""Tracked masks in whose place others show, or which were undone; answers to single prompts are few, and stay."""


def prune(records: ItemRecords, kept_runs: int = KEPT_RUNS, kept_bytes: int = KEPT_BYTES) -> None:
    """Delete replaced masks beyond the last ones of an item, and the oldest of the project beyond so many bytes."""
    with records.database.writing(durable=False) as connection:
        query = "SELECT COUNT(*) FROM run WHERE item=? AND kind='track'"
        (runs,) = connection.execute(query, (records.key,)).fetchone()
        if runs > kept_runs + 1:
            hidden = _HIDDEN.format(items="AND f.item = ?")
            query = f"SELECT item, object, frame, run FROM ({hidden}) WHERE place > ?"
            _delete(connection, query, records.key, kept_runs + 1)
        if records.database.path.stat().st_size > kept_bytes:  # otherwise there cannot be so many
            _prune_bytes(connection, kept_bytes)


def pruned_frames(records: ItemRecords) -> dict[int, int]:
    """Return by object on how many frames a mask should show that was pruned; tracking makes it again."""
    query = (
        "SELECT object, COUNT(*) FROM (SELECT f.item, f.object, f.frame, MAX(f.run) AS run FROM frame_stat f "
        "JOIN run r ON r.id = f.run WHERE f.item=? AND r.active GROUP BY f.object, f.frame) c "
        "WHERE NOT EXISTS (SELECT 1 FROM mask m WHERE m.item = c.item AND m.object = c.object AND m.frame = c.frame "
        "AND m.run = c.run) GROUP BY object"
    )
    with records.database.reading() as connection:
        return {row[0]: row[1] for row in connection.execute(query, (records.key,))}


def _prune_bytes(connection: sqlite3.Connection, kept_bytes: int) -> None:
    hidden = _HIDDEN.format(items="")
    query = (
        f"SELECT h.run, SUM(LENGTH(m.runs)) FROM ({hidden}) h JOIN mask m ON m.item = h.item AND m.object = h.object "
        "AND m.frame = h.frame AND m.run = h.run GROUP BY h.run ORDER BY h.run DESC"
    )
    left = kept_bytes
    for run, size in connection.execute(query).fetchall():
        left -= size
        if left < 0:
            _delete(connection, f"SELECT item, object, frame, run FROM ({hidden}) WHERE run <= ?", run)
            return


def _delete(connection: sqlite3.Connection, chosen: str, *values: object) -> None:
    """Delete masks; their numbers stay, without a state, so that undoing finds out what is gone."""
    place = "(item, object, frame, run)"
    connection.execute("CREATE TEMP TABLE pruned AS " + chosen, values)
    connection.execute(f"DELETE FROM mask WHERE {place} IN (SELECT * FROM pruned)")
    connection.execute(f"UPDATE frame_stat SET state={int(State.NONE)} WHERE {place} IN (SELECT * FROM pruned)")
    connection.execute("DROP TABLE pruned")
