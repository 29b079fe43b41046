"""What is stored of masks beside themselves: overlaps, pieces, what replaced ones leave, and open proposals."""

from pathlib import Path

import numpy as np
import pytest

from masklet.server.acts import act, undo
from masklet.server.database import Database
from masklet.server.everything import drop_proposals, keep_proposals, reserved
from masklet.server.item_records import ItemRecords, add_object, keep_masks, new_run
from masklet.server.overlaps import keep_overlaps, overlapped
from masklet.server.packets import Entry, PackedMask, State
from masklet.server.pruning import prune, pruned_frames
from masklet.server.rows import StoredMask

HEIGHT, WIDTH = 20, 30


@pytest.fixture(autouse=True)
def _two_objects(records: ItemRecords) -> None:
    with act(records.database, records.key, "add") as now:
        for _ in range(2):
            add_object(now, most=9)


def box(left: int, right: int) -> PackedMask:
    mask = np.zeros((HEIGHT, WIDTH), dtype=bool)
    mask[4:8, left:right] = True
    return PackedMask.of(mask)


def tracked(records: ItemRecords, masks: dict[tuple[int, int], PackedMask]) -> list[StoredMask]:
    """Store masks by object and frame as a run of their own, which is one act."""
    with act(records.database, records.key, "track") as now:
        run = new_run(now.connection, records.key, "track")
        stored = [StoredMask(*place, run, State.TRACKED, 0.9, 5.0, 1, mask) for place, mask in masks.items()]
        keep_masks(now.connection, records.key, stored)
    return stored


def test_overlaps_hold_for_the_masks_that_show(records: ItemRecords) -> None:
    masks = {(1, 0): box(0, 10), (2, 0): box(7, 17), (1, 1): box(0, 10), (2, 1): box(8, 18)}
    keep_overlaps(records, tracked(records, masks))
    assert overlapped(records, records.stats()) == {(1, 0), (2, 0)}, "3 of 10 columns, and 2 of 10"
    keep_overlaps(records, tracked(records, {(1, 0): box(20, 30), (2, 1): box(2, 12)}))
    assert overlapped(records, records.stats()) == {(1, 1), (2, 1)}
    undo(records.database, records.key)
    assert overlapped(records, records.stats()) == {(1, 0), (2, 0)}


def test_pieces_are_counted_without_specks(records: ItemRecords) -> None:
    mask = np.zeros((HEIGHT, WIDTH), dtype=bool)
    mask[:10, :12] = mask[12:18, 20:28] = True
    mask[15, 3] = True
    tracked(records, {(1, 0): PackedMask.of(mask), (2, 0): PackedMask()})
    assert {each.object: each.pieces for each in records.stats()} == {1: 2, 2: 0}


def test_the_last_replaced_masks_are_kept(records: ItemRecords) -> None:
    for width in range(1, 6):
        tracked(records, {(1, frame): box(0, width) for frame in range(3)})
    tracked(records, {(2, 0): box(0, 9)})
    prune(records, kept_runs=2)
    assert pruned_frames(records) == {}
    seen = []
    for _ in range(5):
        undo(records.database, records.key)
        seen.append({each.frame: each.mask.area // 4 for each in records.masks([1])})
    assert seen == [{0: width, 1: width, 2: width} for width in (5, 4, 3)] + [{}, {}]
    assert pruned_frames(records) == {1: 3}
    assert records.stats([1]) == [], "tracking takes them as missing"


def test_the_oldest_go_beyond_a_number_of_bytes(records: ItemRecords) -> None:
    for width in range(1, 6):
        tracked(records, {(1, 0): box(0, width)})
    size = len(box(0, 1).runs)
    prune(records, kept_runs=10, kept_bytes=2 * size)
    areas = []
    for _ in range(4):
        areas.append([each.mask.area // 4 for each in records.masks([1])])
        undo(records.database, records.key)
    assert areas == [[5], [4], [3], []]


def test_proposals_stay_until_they_are_decided(records: ItemRecords, tmp_path: Path) -> None:
    first = [
        Entry(number, box(0, number), 0.123456789, 0.0, state=State.PROVISIONAL) for number in reserved(records, 3)
    ]
    keep_proposals(records, 4, first)
    again = Database(tmp_path)
    assert [each.entry for each in ItemRecords(again, records.key).proposals(4)] == first
    again.close()
    with act(records.database, records.key, "accept") as now:
        drop_proposals(now.connection, records.key, [1, 3])
    assert [each.entry.object for each in records.proposals()] == [2]
    undo(records.database, records.key)
    assert [each.entry for each in records.proposals()] == first
    keep_proposals(records, 4, [Entry(number, box(0, 2), 0.5, 0.0) for number in reserved(records, 1)])
    assert [each.entry.object for each in records.proposals()] == [4], (
        "new ones of a frame take the place of older ones"
    )
