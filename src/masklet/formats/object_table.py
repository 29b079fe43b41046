"""What became of each object of a video, as a table in CSV."""

import csv
import os
from collections.abc import Iterable
from dataclasses import astuple, fields

from masklet.atomic_files import written_whole
from masklet.automask.object_records import Ended, ObjectRecord, ObjectTable
from masklet.media.recorded_masks import RecordedMasks

COLUMNS = tuple(each.name for each in fields(ObjectRecord))


def recorded_objects(recorded: RecordedMasks) -> tuple[ObjectRecord, ...]:
    """Return what became of each object that a recorded frame shows, by ascending id, as far as the masks show it.

    An object is lost if the last recorded frame does not show it. One frame is in memory at a time.
    """
    table, last = ObjectTable(), 0
    for frame in recorded:
        table.report(frame, recorded[frame])
        last = frame
    for each in table.records():
        if each.last_frame < last:
            table.end(each.object_id, Ended.LOST)
    return table.records()


def write_object_table(path: str | os.PathLike[str], records: Iterable[ObjectRecord]) -> None:
    """Write a CSV file with one line an object, under the names of the record's fields."""
    with written_whole(path) as unfinished, unfinished.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for each in records:
            writer.writerow(f"{value:.6g}" if isinstance(value, float) else value for value in astuple(each))
