"""What is stored of one item: its objects, prompts, ranges, runs and masks.

Each mask belongs to a run, and of the runs that count the last one shows; so nothing is overwritten.
"""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from masklet.masks.components import pieces_of
from masklet.prompts.prompt import Prompt
from masklet.server.acts import Act
from masklet.server.database import Database
from masklet.server.packets import Entry, PackedMask, State
from masklet.server.problems import Problem, not_found
from masklet.server.rows import ItemRow, ObjectRow, PromptRow, Proposal, StoredMask
from masklet.server.spans import Spans, common, joined, within, without

SpanTable = Literal["range", "stale"]
Marks = dict[tuple[int, int], tuple[int, Literal["ok", "flag"]]]
COLOURS = (
    "#4477AA", "#EE6677", "#228833", "#CCBB44", "#66CCEE", "#AA3377", "#EE7733", "#0077BB",
    "#33BBEE", "#EE3377", "#CC3311", "#009988", "#999933", "#882255", "#44AA99", "#BBBBBB",
)  # fmt: skip
"""Colours that people with any kind of colour vision tell apart (Paul Tol's schemes)."""

_SHOWN = """
SELECT s.*{blob} FROM (
    SELECT f.object, f.frame, MAX(f.run) AS run FROM object o
    CROSS JOIN frame_stat f ON f.item = o.item AND f.object = o.object AND f.frame BETWEEN ? AND ?
    CROSS JOIN run r ON r.id = f.run
    WHERE o.item = ? AND r.active {objects} GROUP BY f.object, f.frame
) c CROSS JOIN frame_stat s ON s.item = ? AND s.object = c.object AND s.frame = c.frame AND s.run = c.run {join}
ORDER BY s.frame, s.object
"""
"""CROSS joins are made in the order written: a stretch of frames is found without a look at all others of the item."""
_BLOB = "CROSS JOIN mask m ON m.item = s.item AND m.object = s.object AND m.frame = s.frame AND m.run = s.run"
_ISLANDS = f"""
SELECT object, state, MIN(frame) AS first, MAX(frame) AS last FROM (
    SELECT object, state, frame, frame - ROW_NUMBER() OVER (PARTITION BY object, state ORDER BY frame) AS island
    FROM ({_SHOWN.format(blob="", join="", objects="{objects}")}) WHERE state <> {int(State.NONE)}
) GROUP BY object, state, island
"""
_LAST_FRAME = 2**32
_LEAST_PIECE = 0.01  # of a mask's area; smaller specks come and go


class ItemRecords:
    """Reads and writes what a project's database holds of one item.

    Args:
        database: of the project.
        key: of the item.
    """

    def __init__(self, database: Database, key: int) -> None:
        self.database, self.key = database, key

    def item(self) -> ItemRow:
        """Return the item itself; Problem if it is gone."""
        row = self._one("SELECT * FROM item WHERE key=?", self.key)
        if row is None:
            raise not_found()
        return ItemRow.of(row)

    def objects(self) -> list[ObjectRow]:
        """Return the objects, in their order."""
        query = "SELECT * FROM object WHERE item=? ORDER BY place, object"
        return [ObjectRow.of(row) for row in self._all(query, self.key)]

    def known_object(self, number: int, *, is_changed: bool = False) -> ObjectRow:
        """Return an object; Problem if there is none, or it `is_changed` and locked."""
        row = self._one("SELECT * FROM object WHERE item=? AND object=?", self.key, number)
        if row is None:
            raise Problem(404, "no_object", f"There is no object {number}.", "object")
        if is_changed and row["locked"]:
            raise Problem(423, "locked", f"Object {number} is locked.", "object")
        return ObjectRow.of(row)

    def prompts(self, object_id: int | None = None) -> list[PromptRow]:
        """Return the prompts of an object (None: of all), in the order in which they were given."""
        query, values = "SELECT * FROM prompt WHERE item=?", [self.key]
        if object_id is not None:
            query, values = f"{query} AND object=?", [*values, object_id]
        return [PromptRow.of(row) for row in self._all(f"{query} ORDER BY id", *values)]

    def spans(self, table: SpanTable, object_id: int) -> list[tuple[int, int]]:
        """Return the frames where an object is absent ("range"), or its masks are older than a prompt ("stale")."""
        query = f"SELECT first, last FROM {table} WHERE item=? AND object=? ORDER BY first"
        return [(row["first"], row["last"]) for row in self._all(query, self.key, object_id)]

    def marks(self) -> Marks:
        """Return what a person thought of masks: by object and frame the run that was looked at, and the verdict."""
        rows = self._all("SELECT * FROM mark WHERE item=?", self.key)
        return {(row["object"], row["frame"]): (row["run"], row["verdict"]) for row in rows}

    def masks(
        self, objects: Collection[int] | None = None, first: int = 0, last: int = _LAST_FRAME
    ) -> list[StoredMask]:
        """Return the masks that show on some frames, by frame and object; None: of all objects."""
        return list(self._shown(objects, first, last, has_runs=True))

    def stats(
        self, objects: Collection[int] | None = None, first: int = 0, last: int = _LAST_FRAME
    ) -> list[StoredMask]:
        """Return what `masks` does, but for the masks' runs."""
        return list(self._shown(objects, first, last, has_runs=False))

    def states(self, objects: Collection[int] | None = None) -> dict[int, list[tuple[State, tuple[int, int]]]]:
        """Return by object the stretches of frames that have masks of one state, without reading them one by one."""
        rows = self._all(_ISLANDS.format(objects=_among(objects)), 0, _LAST_FRAME, self.key, self.key)
        by_object: defaultdict[int, defaultdict[State, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
        for row in rows:
            by_object[row["object"]][State(row["state"])].append((row["first"], row["last"]))
        return {number: self._states(number, known) for number, known in by_object.items()}

    def _states(
        self, object_id: int, known: Mapping[State, Sequence[tuple[int, int]]]
    ) -> list[tuple[State, tuple[int, int]]]:
        """Return stretches of states, changed where the object is absent or its masks are older than a prompt."""
        absent, stale = self.spans("range", object_id), self.spans("stale", object_id)
        found: defaultdict[State, list[tuple[int, int]]] = defaultdict(list)
        for state, spans in known.items():
            there = without(spans, absent)
            old = common(there, stale) if state is State.TRACKED else []
            found[state] += without(there, old)
            found[State.STALE] += old
            found[State.ABSENT] += common(spans, absent)
        parts = [(state, span) for state, spans in found.items() for span in joined(spans)]
        return sorted(parts, key=lambda each: each[1])

    def proposals(self, frame: int | None = None) -> list[Proposal]:
        """Return the proposals of everything mode that are open on a frame (None: on all)."""
        query = "SELECT * FROM proposal WHERE item=? AND (? IS NULL OR frame=?) ORDER BY number"
        return [Proposal.of(row) for row in self._all(query, self.key, frame, frame)]

    def tracked_spans(self, object_id: int, first: int, last: int) -> list[tuple[int, int]]:
        """Return the frames within others that an object was tracked onto, without reading them one by one."""
        query = (
            "SELECT MIN(frame) AS first, MAX(frame) AS last FROM ("
            "SELECT frame, frame - ROW_NUMBER() OVER (ORDER BY frame) AS island FROM ("
            "SELECT DISTINCT f.frame FROM frame_stat f JOIN run r ON r.id = f.run WHERE f.item=? AND f.object=? "
            "AND f.frame BETWEEN ? AND ? AND f.state=? AND r.active)) GROUP BY island ORDER BY first"
        )
        rows = self._all(query, self.key, object_id, first, last, State.TRACKED)
        return [(row["first"], row["last"]) for row in rows]

    def run_kind(self, run: int) -> str:
        """Return what a run was: "answer", "track" or "edit"."""
        row = self._one("SELECT kind FROM run WHERE id=?", run)
        return "" if row is None else str(row["kind"])

    def mask(self, object_id: int, frame: int) -> StoredMask | None:
        """Return the mask of an object on a frame; None if there is none."""
        return next(iter(self.masks([object_id], frame, frame)), None)

    def _shown(self, objects: Collection[int] | None, first: int, last: int, *, has_runs: bool) -> Iterator[StoredMask]:
        blob, join = (", m.runs", _BLOB) if has_runs else ("", "")
        rows = self._all(_SHOWN.format(blob=blob, objects=_among(objects), join=join), first, last, self.key, self.key)
        ranges: dict[int, Spans] = {}
        stale: dict[int, Spans] = {}
        for row in rows:
            number, frame = row["object"], row["frame"]
            if row["state"] == State.NONE:  # what was there is another object's now
                continue
            if number not in ranges:
                ranges[number], stale[number] = self.spans("range", number), self.spans("stale", number)
            found = StoredMask.of(row, row["runs"] if has_runs else b"")
            if within(ranges[number], frame):
                yield replace(found, state=State.ABSENT, score=0.0, mask=PackedMask())
            elif found.state is State.TRACKED and within(stale[number], frame):
                yield replace(found, state=State.STALE)
            else:
                yield found

    def _all(self, query: str, *values: object) -> list[sqlite3.Row]:
        with self.database.reading() as connection:
            return connection.execute(query, values).fetchall()

    def _one(self, query: str, *values: object) -> sqlite3.Row | None:
        return next(iter(self._all(query, *values)), None)


def _among(objects: Collection[int] | None) -> str:
    """Return the condition that a mask is one of these objects'; None: of any."""
    return "" if objects is None else f"AND f.object IN ({','.join(str(int(each)) for each in objects)})"


def add_object(
    act: Act, name: str | None = None, class_name: str | None = None, colour: str | None = None, *, most: int
) -> int:
    """Add an object and return its number, which no other had before; Problem if there are too many."""
    run = act.connection.execute
    (number,) = run("SELECT next_object FROM item WHERE key=?", (act.item,)).fetchone()
    (count,) = run("SELECT COUNT(*) FROM object WHERE item=?", (act.item,)).fetchone()
    if count >= most:
        raise Problem(422, "too_many", f"An item has at most {most} objects.", "object")
    run("UPDATE item SET next_object=? WHERE key=?", (number + 1, act.item))
    run(
        "INSERT INTO object(item, object, name, class, colour, place) VALUES(?, ?, ?, ?, ?, ?)",
        (act.item, number, name or f"Object {number}", class_name, colour or COLOURS[(number - 1) % 16], number),
    )
    return int(number)


def add_prompt(act: Act, object_id: int, frame: int, prompt: Prompt, *, keep: bool, corrects: bool) -> int:
    """Add a prompt to those of an object on a frame, or in their place; return its number."""
    if not keep:
        forget_prompts(act, object_id, frame)
    values = (act.item, object_id, frame, json.dumps(prompt.to_json()), corrects)
    query = "INSERT INTO prompt(item, object, frame, prompt, corrects) VALUES(?, ?, ?, ?, ?)"
    return int(act.connection.execute(query, values).lastrowid or 0)


def forget_prompts(act: Act, object_id: int, frame: int | None = None) -> None:
    """Remove the prompts of an object on a frame; None: on all."""
    query, values = "DELETE FROM prompt WHERE item=? AND object=?", [act.item, object_id]
    if frame is not None:
        query, values = f"{query} AND frame=?", [*values, frame]
    act.connection.execute(query, values)


def set_spans(act: Act, table: SpanTable, object_id: int, spans: Iterable[tuple[int, int]]) -> None:
    """Put the frames of an object where it is absent, or stale, in place of those before."""
    run = act.connection.execute
    run(f"DELETE FROM {table} WHERE item=? AND object=?", (act.item, object_id))
    for first, last in joined(spans):
        run(f"INSERT INTO {table}(item, object, first, last) VALUES(?, ?, ?, ?)", (act.item, object_id, first, last))


def new_run(connection: sqlite3.Connection, item: int, kind: str, job: str | None = None) -> int:
    """Begin a run; its masks show above those of earlier ones."""
    query = "INSERT INTO run(item, kind, job) VALUES(?, ?, ?)"
    return int(connection.execute(query, (item, kind, job)).lastrowid or 0)


def hide_answers(act: Act, object_id: int, frame: int | None) -> None:
    """Hide what prompts and hand edits of an object gave on a frame (None: on all), so that older masks show."""
    query = (
        "UPDATE run SET active=0 WHERE item=? AND active AND kind='answer' AND id IN "
        "(SELECT run FROM frame_stat WHERE item=? AND object=? AND (? IS NULL OR frame=?))"
    )
    act.connection.execute(query, (act.item, act.item, object_id, frame, frame))


def keep_masks(connection: sqlite3.Connection, item: int, masks: Iterable[StoredMask]) -> None:
    """Store masks under their runs."""
    stats, blobs = [], []
    for each in masks:
        place = (item, each.object, each.frame, each.run)
        crop = (each.mask.area, each.mask.x, each.mask.y, each.mask.width, each.mask.height)
        pieces = pieces_of(each.mask.crop(), _LEAST_PIECE) if each.mask.width else 0
        stats.append((*place, each.state, each.score, each.presence, *crop, each.revision, pieces))
        blobs.append((*place, each.mask.runs))
    connection.executemany(f"INSERT OR REPLACE INTO frame_stat VALUES({','.join('?' * 14)})", stats)
    connection.executemany("INSERT OR REPLACE INTO mask VALUES(?, ?, ?, ?, ?)", blobs)


def keep_answer(now: Act, object_id: int, frame: int, entry: Entry) -> tuple[int, Entry]:
    """Store the answer as a run of its own; return the run, and the entry as it is stored."""
    run = new_run(now.connection, now.item, "answer")
    numbers = entry.state, entry.score, entry.presence, now.revision
    stored = StoredMask(object_id, frame, run, *numbers, entry.mask)
    keep_masks(now.connection, now.item, [stored])
    return run, stored.entry()
