"""The table of what was found in a video: one line for each object, kept while the frames are reported."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from typing import Any, Self

from masklet.errors import InvalidInputError
from masklet.json_files import shown, whole_number
from masklet.masks.segmentation import Segmentation


class Ended(StrEnum):
    """What became of an object: there on the last frame, absent there but remembered, given up, or found to be another.

    An object that is another one was followed under two ids for a while; the older id goes on.
    """

    PRESENT = "present"
    LOST = "lost"
    RETIRED = "retired"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, kw_only=True)
class ObjectRecord:
    """One object of a video.

    Attributes:
        object_id: its id in all frames.
        first_frame: on which it was reported first.
        last_frame: on which it was reported last.
        frames_present: how many frames it was reported on.
        mean_score: of its masks on these frames, the predicted IoU.
        mean_area: of its masks on these frames, in pixels.
        ended: what became of it.
        same_as: the id of the object that a duplicate was found to be; otherwise None.

    Example:
        >>> from masklet import ObjectRecord
        >>> means = {"mean_score": 0.75, "mean_area": 120.0}
        >>> ball = ObjectRecord(object_id=3, first_frame=5, last_frame=5, frames_present=1, **means)
        >>> ball.seen(6, score=0.25, area=80.0).mean_area
        100.0
    """

    object_id: int
    first_frame: int
    last_frame: int
    frames_present: int
    mean_score: float
    mean_area: float
    ended: Ended = Ended.PRESENT
    same_as: int | None = None

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Return the record that `to_json` described; InvalidInputError for anything else."""
        if not isinstance(value, Mapping) or value.keys() != {field.name for field in fields(cls)}:
            raise InvalidInputError(f"A record of an object is {shown(value)}.")
        whole = {name: whole_number(value[name], name) for name in ("first_frame", "last_frame")}
        whole["frames_present"] = whole_number(value["frames_present"], "frames_present")
        whole["object_id"] = whole_number(value["object_id"], "object_id", least=1)
        if not all(isinstance(value[name], float) for name in ("mean_score", "mean_area")):
            raise InvalidInputError(f"A record of an object has the means {shown(dict(value))}.")
        same_as = None if value["same_as"] is None else whole_number(value["same_as"], "same_as", least=1)
        means = {name: value[name] for name in ("mean_score", "mean_area")}
        return cls(**whole, **means, ended=Ended(value["ended"]), same_as=same_as)

    def to_json(self) -> dict[str, Any]:
        """Return all fields as plain JSON."""
        return asdict(self)

    def seen(self, frame: int, score: float, area: float) -> "ObjectRecord":
        """Return the record after one more frame on which the object was reported."""
        count = self.frames_present + 1
        return replace(
            self,
            first_frame=frame if count == 1 else min(self.first_frame, frame),
            last_frame=frame if count == 1 else max(self.last_frame, frame),
            frames_present=count,
            mean_score=self.mean_score + (score - self.mean_score) / count,
            mean_area=self.mean_area + (area - self.mean_area) / count,
        )


class ObjectTable:
    """The records of all objects of a video so far, and the last frame that was reported."""

    def __init__(self, records: Iterable[ObjectRecord] = (), last_frame: int | None = None) -> None:
        self._records = {each.object_id: each for each in records}
        self.last_frame = last_frame

    def report(self, frame: int, segmentation: Segmentation) -> None:
        """Take one more frame; an object is on it if its mask has pixels."""
        reported = zip(segmentation.object_ids, segmentation.scores.tolist(), segmentation.areas.tolist(), strict=True)
        for object_id, score, area in reported:
            if area:
                self._records[object_id] = self._known(object_id).seen(frame, score, area)
        self.last_frame = frame if self.last_frame is None else max(frame, self.last_frame)

    def end(self, object_id: int, ended: Ended, same_as: int | None = None) -> None:
        """Note that an object was given up; its record counts frames that are reported later, too."""
        self._records[object_id] = replace(self._known(object_id), ended=ended, same_as=same_as)

    def entries(self) -> tuple[ObjectRecord, ...]:
        """Return all records as they are kept, by ascending id."""
        return tuple(self._records[object_id] for object_id in sorted(self._records))

    def records(self) -> tuple[ObjectRecord, ...]:
        """Return the records of all objects that were reported, by ascending id."""
        return tuple(self._now(each) for each in self.entries() if each.frames_present)

    def _now(self, record: ObjectRecord) -> ObjectRecord:
        is_lost = record.ended is Ended.PRESENT and record.last_frame != self.last_frame
        return replace(record, ended=Ended.LOST) if is_lost else record

    def _known(self, object_id: int) -> ObjectRecord:
        """Return the record of an object, an empty one if it was not reported before."""
        return self._records.get(object_id) or ObjectRecord(
            object_id=object_id, first_frame=0, last_frame=0, frames_present=0, mean_score=0.0, mean_area=0.0
        )
