"""Acts of a person are undone and redone, whatever they changed; masks come back from their runs."""

import random
import sqlite3
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from masklet import InvalidInputError, Prompt
from masklet.server.acts import act, redo, undo
from masklet.server.database import Database
from masklet.server.item_records import (
    ItemRecords,
    add_object,
    add_prompt,
    forget_prompts,
    hide_answers,
    keep_masks,
    new_run,
    set_spans,
)
from masklet.server.packets import PackedMask, State
from masklet.server.problems import Problem
from masklet.server.rows import StoredMask


def square(side: int) -> PackedMask:
    mask = np.zeros((20, 20), dtype=bool)
    mask[:side, :side] = True
    return PackedMask.of(mask)


def click(records: ItemRecords, object_id: int, frame: int, side: int, *, keep: bool = False) -> None:
    with act(records.database, records.key, "prompt") as now:
        if not any(each.object == object_id for each in records.objects()):
            assert add_object(now, most=10) == object_id
        add_prompt(now, object_id, frame, Prompt(points=[(side, side)]), keep=keep, corrects=False)
        run = new_run(now.connection, records.key, "answer")
        stored = StoredMask(object_id, frame, run, State.ANSWERED, 0.5, 1.0, now.revision, square(side))
        keep_masks(now.connection, records.key, [stored])


def click_on(records: ItemRecords, frames: range) -> None:
    for frame in frames:
        click(records, 1, frame, 4)


def forget_and_fail(records: ItemRecords) -> None:
    with act(records.database, records.key, "prompt") as now:
        forget_prompts(now, 1)
        now.connection.execute("DELETE FROM nowhere")


def areas(records: ItemRecords) -> dict[tuple[int, int], int]:
    return {(each.object, each.frame): each.mask.area for each in records.masks()}


def everything(records: ItemRecords) -> object:
    prompts = [(each.id, each.object, each.frame, each.prompt.to_json()) for each in records.prompts()]
    spans = [(records.spans("range", each.object), records.spans("stale", each.object)) for each in records.objects()]
    return records.objects(), prompts, spans, areas(records)


def test_clicks_go_and_come_back(records: ItemRecords) -> None:
    click(records, 1, 0, 3)
    click(records, 1, 0, 5, keep=True)
    seen = []
    for turn in (undo, undo, redo, redo):
        turn(records.database, records.key)
        seen.append(areas(records))
    assert seen == [{(1, 0): 9}, {}, {(1, 0): 9}, {(1, 0): 25}]
    assert len(records.prompts()) == 2
    assert records.item().revision == 6


def test_every_kind_of_change_is_undone_and_redone(records: ItemRecords) -> None:
    click(records, 1, 0, 3)
    click(records, 2, 4, 4)
    states = [everything(records)]

    with act(records.database, records.key, "absent") as now:
        set_spans(now, "range", 1, [(2, 3), (4, 6)])
        set_spans(now, "stale", 2, [(7, 8)])
    states.append(everything(records))
    with act(records.database, records.key, "object") as now:
        now.connection.execute("UPDATE object SET name='it''s', class=NULL, hidden=1 WHERE object=2")
        now.connection.execute("UPDATE prompt SET object=2 WHERE object=1")
    states.append(everything(records))
    with act(records.database, records.key, "clear") as now:
        forget_prompts(now, 2, 4)
        hide_answers(now, 2, 4)
        now.connection.execute("DELETE FROM object WHERE object=1")
    states.append(everything(records))

    for state in reversed(states[:-1]):
        undo(records.database, records.key)
        assert everything(records) == state
    for state in states[1:]:
        redo(records.database, records.key)
        assert everything(records) == state


def test_a_new_act_ends_what_could_be_redone(records: ItemRecords) -> None:
    click(records, 1, 0, 3)
    click(records, 1, 1, 4)
    undo(records.database, records.key)
    click(records, 1, 2, 5)
    with pytest.raises(Problem, match="nothing to redo"):
        redo(records.database, records.key)
    assert areas(records) == {(1, 0): 9, (1, 2): 25}


def test_a_failed_act_changes_nothing(records: ItemRecords) -> None:
    click(records, 1, 0, 3)
    before = everything(records)
    with pytest.raises(sqlite3.OperationalError):
        forget_and_fail(records)
    assert everything(records) == before
    click(records, 1, 1, 4)
    undo(records.database, records.key)
    assert everything(records) == before


def test_a_full_disk_changes_nothing(records: ItemRecords) -> None:
    click(records, 1, 0, 3)
    before = everything(records)
    with records.database.reading() as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(Problem, match="disk of the server is full") as caught:
        click_on(records, range(1, 1000))
    assert caught.value.status_code == 507
    last = max(frame for _, frame in areas(records))
    assert len(records.prompts()) == last + 1, "what was acknowledged is there, and nothing else"
    with records.database.reading() as connection:
        connection.execute("PRAGMA max_page_count=100000")
    for _ in range(last):
        undo(records.database, records.key)
    assert everything(records) == before


def shape_of(folder: Path) -> set[object]:
    """The columns and triggers of a project's file."""
    database = Database(folder)
    with database.reading() as connection:
        made = connection.execute("SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'").fetchall()
        columns = [
            (row["name"], *column[1:3])
            for row in made
            for column in connection.execute(f"PRAGMA table_info({row['name']})")
        ]
    database.close()
    return {*columns, *(tuple(row) for row in made)}


def test_files_of_earlier_formats_are_brought_up_to_date(tmp_path: Path) -> None:
    Database(tmp_path).close()
    with sqlite3.connect(tmp_path / "project.sqlite") as connection:
        connection.executescript(
            "ALTER TABLE job DROP COLUMN created; ALTER TABLE item DROP COLUMN next_proposal;"
            "ALTER TABLE frame_stat DROP COLUMN pieces; DROP TABLE proposal; DROP TABLE overlap;"
            "PRAGMA user_version=1;"
        )
    connection.close()
    older, newer = tmp_path, tmp_path / "newer"
    newer.mkdir()
    assert shape_of(older) == shape_of(newer)
    with sqlite3.connect(tmp_path / "project.sqlite") as connection:
        connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(InvalidInputError, match="has format 99"):
        Database(tmp_path)


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "project.sqlite").write_bytes(b"no database at all, but long enough to be looked at" * 100)
    with pytest.raises(InvalidInputError, match="no readable project"):
        Database(tmp_path)


def test_numbers_of_objects_are_not_used_again(records: ItemRecords) -> None:
    click(records, 1, 0, 3)
    undo(records.database, records.key)
    click(records, 2, 0, 3)
    assert [each.object for each in records.objects()] == [2]


def test_an_item_that_moved_on_is_a_conflict(records: ItemRecords) -> None:
    click(records, 1, 0, 3)
    with pytest.raises(Problem, match="at revision 1, not 0"), act(records.database, records.key, "x", 0):
        pass


def test_absent_and_stale_masks(records: ItemRecords) -> None:
    click(records, 1, 0, 3)
    with records.database.writing(durable=False) as connection:
        run = new_run(connection, records.key, "track", "job_1")
        tracked = [StoredMask(1, frame, run, State.TRACKED, 0.9, 2.0, 1, square(4)) for frame in range(1, 6)]
        keep_masks(connection, records.key, tracked)
    with act(records.database, records.key, "absent") as now:
        set_spans(now, "range", 1, [(2, 3)])
        set_spans(now, "stale", 1, [(3, 4)])
    states = [each.state for each in records.masks([1], 0, 5)]
    assert states == [State.ANSWERED, State.TRACKED, State.ABSENT, State.ABSENT, State.STALE, State.TRACKED]
    assert [each.mask.area for each in records.masks([1], 1, 3)] == [16, 0, 0]


@pytest.mark.parametrize("seed", range(5))
def test_stretches_of_states_are_those_of_the_single_masks(records: ItemRecords, seed: int) -> None:
    rng = random.Random(seed)
    for number in (1, 2):
        click(records, number, 7, 3)
        for state in (State.TRACKED, State.NONE, State.EDITED):
            with records.database.writing(durable=False) as connection:
                run = new_run(connection, records.key, "track", "job_1")
                frames = rng.sample(range(40), 20)
                keep_masks(
                    connection,
                    records.key,
                    [StoredMask(number, frame, run, state, 0.9, 2.0, 1, square(4)) for frame in frames],
                )
        with act(records.database, records.key, "absent") as now:
            for table in ("range", "stale"):
                set_spans(now, table, number, [(first, first + 3) for first in rng.sample(range(0, 40, 6), 3)])
    for number in (1, 2):
        stretches = records.states()[number]
        spread = [(frame, state) for state, (first, last) in stretches for frame in range(first, last + 1)]
        assert spread == [(each.frame, each.state) for each in records.stats([number])]
        assert stretches == records.states([number])[number]
        assert not any(a == b and end + 1 == start for (a, (_, end)), (b, (start, _)) in pairwise(stretches))


def test_a_stretch_of_frames_is_found_without_a_look_at_the_others(records: ItemRecords) -> None:
    click(records, 1, 0, 3)
    with records.database.writing(durable=False) as connection:
        run, numbers = new_run(connection, records.key, "track", "job_1"), (State.TRACKED, 0.9, 2.0, 1, square(4))
        keep_masks(connection, records.key, [StoredMask(1, frame, run, *numbers) for frame in range(2000)])
    calls: list[None] = []
    with records.database.reading() as connection:
        connection.set_progress_handler(lambda: calls.append(None), 100)
    assert len(records.masks(None, 1000, 1003)) == 4
    assert len(calls) < 20, "hundreds of steps of SQLite"
