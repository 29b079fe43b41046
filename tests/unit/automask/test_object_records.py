"""The table of what was found in a video."""

import json
from typing import Any

import numpy as np
import pytest

from masklet import InvalidInputError, ObjectRecord, Segmentation
from masklet.automask.object_records import Ended, ObjectTable


def frame_of(**areas_and_scores: tuple[int, float]) -> Segmentation:
    """Objects `_1`, `_2`, ... of so many pixels and that score."""
    masks = np.zeros((len(areas_and_scores), 4, 5), bool)
    for mask, (area, _) in zip(masks, areas_and_scores.values(), strict=True):
        mask.reshape(-1)[:area] = True
    scores = np.array([score for _, score in areas_and_scores.values()])
    return Segmentation(masks, scores, [int(name[1:]) for name in areas_and_scores])


def test_frames_are_counted_where_there_is_a_mask() -> None:
    table = ObjectTable()
    table.report(3, frame_of(_1=(4, 0.5)))
    table.report(4, frame_of(_1=(0, 0.0), _2=(10, 0.75)))
    table.report(5, frame_of(_1=(8, 1.0), _2=(10, 0.25)))
    table.report(2, frame_of(_2=(4, 0.5)))  # found on a pass backward
    first, second = table.records()
    assert first == ObjectRecord(
        object_id=1, first_frame=3, last_frame=5, frames_present=2, mean_score=0.75, mean_area=6.0
    )
    assert second == ObjectRecord(
        object_id=2, first_frame=2, last_frame=5, frames_present=3, mean_score=0.5, mean_area=8.0
    )


def test_what_became_of_objects_is_noted() -> None:
    table = ObjectTable()
    table.report(0, frame_of(_1=(4, 0.5), _2=(4, 0.5)))
    table.end(2, Ended.DUPLICATE, same_as=1)
    table.end(3, Ended.RETIRED)  # before its frames, which were held back, are reported
    table.end(9, Ended.RETIRED)  # never reported
    table.report(1, frame_of(_3=(4, 0.5)))
    assert [(each.object_id, each.ended, each.same_as) for each in table.records()] == [
        (1, "lost", None),
        (2, "duplicate", 1),
        (3, "retired", None),
    ]
    table.report(2, frame_of(_1=(1, 0.5)))
    assert table.records()[0].ended is Ended.PRESENT


def test_records_survive_json() -> None:
    table = ObjectTable()
    table.report(7, frame_of(_3=(4, 0.5)))
    table.end(3, Ended.DUPLICATE, same_as=1)
    table.end(4, Ended.RETIRED)
    read = [ObjectRecord.from_json(each) for each in json.loads(json.dumps([r.to_json() for r in table.entries()]))]
    assert ObjectTable(read, table.last_frame).records() == table.records()
    assert ObjectTable(read).entries() == table.entries()


@pytest.mark.parametrize(
    "change",
    [{"more": 1}, {"object_id": 0}, {"first_frame": -1}, {"mean_area": "large"}, {"ended": "gone"}, {"same_as": 0}],
)
def test_damaged_records_are_refused(change: dict[str, Any]) -> None:
    record = ObjectRecord(object_id=1, first_frame=0, last_frame=0, frames_present=1, mean_score=0.5, mean_area=1.0)
    with pytest.raises(ValueError, match=r"record|must be|valid"):
        ObjectRecord.from_json({**record.to_json(), **change})
    with pytest.raises(InvalidInputError):
        ObjectRecord.from_json([])
