"""What became of each object of a video, as a value and as a table in CSV."""

import csv
import os
from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields
from types import MappingProxyType

from masklet.atomic_files import written_whole
from masklet.media.mask_files import annotations_of
from masklet.media.recorded_masks import RecordedMasks

IN_VIEW, OUT_OF_VIEW = "in view at the end", "out of view at the end"


@dataclass(frozen=True)
class ObjectRecord:
    """One object over all recorded frames of a video.

    Attributes:
        object_id: its id.
        first_frame, last_frame: the first and the last frame that show it.
        frames_present: the number of frames that show it.
        visibility_changes: how often it vanished or came back after its first frame.
        mean_score: predicted IoU, about 0 to 1, over the frames that show it.
        mean_area: in pixels, over the frames that show it.
        ending: what became of it.
    """

    object_id: int
    first_frame: int
    last_frame: int
    frames_present: int
    visibility_changes: int
    mean_score: float
    mean_area: float
    ending: str


COLUMNS = tuple(each.name for each in fields(ObjectRecord))


@dataclass
class _Tally:
    """What is counted of an object from frame to frame; it has been seen on `first_frame`."""

    first_frame: int
    last_frame: int = 0
    frames_present: int = 0
    visibility_changes: int = 0
    scores: float = 0.0
    areas: int = 0
    is_present: bool = True

    def see(self, frame: int, score: float, area: int) -> None:
        self.visibility_changes += not self.is_present
        self.last_frame, self.is_present = frame, True
        self.frames_present += 1
        self.scores += score
        self.areas += area

    def miss(self) -> None:
        self.visibility_changes += self.is_present
        self.is_present = False


def object_records(
    recorded: RecordedMasks, endings: Mapping[int, str] = MappingProxyType({})
) -> tuple[ObjectRecord, ...]:
    """Return what became of each object that a frame shows, in the order of their ids.

    Args:
        recorded: the masks of the video; read frame by frame.
        endings: what became of objects, by their ids, where that is known; of others it is whether the last frame
            shows them.
    """
    tallies: dict[int, _Tally] = {}
    for frame in recorded:
        seen = {each["id"]: each for each in annotations_of(recorded[frame]) if each["area"]}
        for object_id in seen.keys() - tallies.keys():
            tallies[object_id] = _Tally(frame)
        for object_id, tally in tallies.items():
            if object_id in seen:
                tally.see(frame, seen[object_id]["predicted_iou"], seen[object_id]["area"])
            else:
                tally.miss()
    return tuple(_record(object_id, tallies[object_id], endings.get(object_id)) for object_id in sorted(tallies))


def _record(object_id: int, tally: _Tally, ending: str | None) -> ObjectRecord:
    count = tally.frames_present
    return ObjectRecord(
        object_id,
        tally.first_frame,
        tally.last_frame,
        count,
        tally.visibility_changes,
        tally.scores / count,
        tally.areas / count,
        ending or (IN_VIEW if tally.is_present else OUT_OF_VIEW),
    )


def write_object_table(path: str | os.PathLike[str], records: tuple[ObjectRecord, ...]) -> None:
    """Write a CSV file with one line an object, under `COLUMNS`."""
    with written_whole(path) as unfinished, unfinished.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for each in records:
            writer.writerow(f"{value:.6g}" if isinstance(value, float) else value for value in astuple(each))
