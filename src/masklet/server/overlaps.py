"""Which objects cover each other: found when masks are stored, so that a review goes by stored numbers alone."""

from collections.abc import Collection, Iterator, Sequence
from itertools import combinations, groupby
from operator import attrgetter

from masklet.server.item_records import ItemRecords
from masklet.server.rows import StoredMask

LEAST_SHARE = 0.2
"""Two masks overlap that share more than this of the smaller one's pixels."""


def keep_overlaps(records: ItemRecords, masks: Sequence[StoredMask]) -> None:
    """Store which masks, stored just now, overlap with others that show on their frames."""
    if not masks:
        return
    frames, runs = [each.frame for each in masks], {each.run for each in masks}
    rows = [
        (records.key, first.frame, first.object, first.run, second.object, second.run)
        for first, second in _overlapping(records.masks(None, min(frames), max(frames)), runs)
    ]
    if rows:
        with records.database.writing(durable=False) as connection:
            connection.executemany("INSERT OR REPLACE INTO overlap VALUES(?, ?, ?, ?, ?, ?)", rows)


def overlapped(records: ItemRecords, shown: Sequence[StoredMask]) -> set[tuple[int, int]]:
    """Return (object, frame) of the masks that show and overlap with another one that does."""
    runs = {(each.object, each.frame): each.run for each in shown}
    with records.database.reading() as connection:
        rows = connection.execute("SELECT * FROM overlap WHERE item=?", (records.key,)).fetchall()
    found = set()
    for row in rows:
        first, second = (row["object"], row["frame"]), (row["other"], row["frame"])
        if runs.get(first) == row["run"] and runs.get(second) == row["other_run"]:
            found |= {first, second}
    return found


def _overlapping(shown: Sequence[StoredMask], runs: Collection[int]) -> Iterator[tuple[StoredMask, StoredMask]]:
    """Yield pairs of masks of one frame that overlap, and of which one is of these runs."""
    for _, group in groupby(shown, attrgetter("frame")):
        for first, second in combinations([each for each in group if each.mask.area], 2):
            smaller = min(first.mask.area, second.mask.area)
            if (first.run in runs or second.run in runs) and first.mask.shared(second.mask) > LEAST_SHARE * smaller:
                yield first, second
