import json
from pathlib import Path

import numpy as np
import pytest
from tests.support.annotated_images import PICTURES, write_domain

from masklet.errors import InvalidInputError
from masklet.evaluation.images.baselines import InscribedEllipse
from masklet.evaluation.images.measurement import ImageMeasurement
from masklet.evaluation.measured_item import MeasuredItem, WorstFrames
from masklet.evaluation.measurement import measure_all, measure_shard
from masklet.masks.run_length import decode_run_length


class Letter:
    """Measures the letter "a"."""

    predictor_name = "letters"

    def names(self):
        return ["a"]

    def files(self, name):
        return [Path(name)]

    def settings(self):
        return {"setting": 1}

    def measure(self, name):
        return MeasuredItem(name, "letters", 1, (1,), {"IoU": (ord(name) / 128,)})


WORST = {"object_id": 1, "frame": 0, "score": 0.5, "predicted": {"size": [2, 3], "counts": "06"}}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"name": None}, "A name is text; got None"),
        ({"frames": 10**400}, "frames must be a whole number"),
        ({"object_ids": ["x"]}, "an object id must be a whole number"),
        ({"values": {"IoU": [float("nan")]}}, "A value is a number from -1 to 1; got nan"),
        ({"values": {"IoU": [10**400]}}, "A value is a number from -1 to 1"),
        ({"values": 3}, "no attribute 'items'"),
        ({"worst": [WORST | {"score": "1"}]}, "A value is a number from -1 to 1; got '1'"),
        ({"worst": [WORST | {"predicted": {"size": [2, 3], "counts": "05"}}]}, "sum to 5 pixels; 2 x 3 has 6"),
        ({"worst": [WORST | {"predicted": {"size": [2, 3], "counts": "0V"}}]}, "cut off"),
        ({"worst": [{}]}, "object_id"),
        ({"worst": 3}, "not iterable"),
        ({"worst": [WORST | {"object_id": -2}]}, "object_id must be a whole number from -1"),
        ({"worst": [WORST | {"predicted": [{"size": [2, 3], "counts": "05"}]}]}, "sum to 5 pixels; 2 x 3 has 6"),
        ({"amounts": {"masks": -1}}, "An amount is a number from 0; got -1"),
        ({"amounts": {"masks": "3"}}, "An amount is a number from 0; got '3'"),
        ({"amounts": [3]}, "no attribute 'items'"),
    ],
)
def test_foreign_lines_are_named(tmp_path, changes, reason):
    measure_all(Letter(), folder=tmp_path)
    line = {"state": "", "name": "z", "dataset": "x", "frames": 1, "object_ids": [1], "values": {}, "worst": [WORST]}
    file = tmp_path / "finished.jsonl"
    whole = file.read_text()
    file.write_text(whole + json.dumps(line) + "\n")
    measure_all(Letter(), folder=tmp_path)
    file.write_text(whole + json.dumps(line | changes) + "\n")
    with pytest.raises(InvalidInputError, match=rf"holds a line that is no result .*{reason}.*; delete the file"):
        measure_all(Letter(), folder=tmp_path)


def test_several_workers_measure_the_same(tmp_path):
    write_domain(tmp_path / "first", [*PICTURES, *PICTURES])
    measurement = ImageMeasurement(str(tmp_path), InscribedEllipse(), ())
    alone = measure_all(measurement)
    steps = []
    assert measure_all(measurement, workers=2, progress=lambda *step: steps.append(step)) == alone
    assert steps == [(number, 4) for number in range(5)]


def test_machines_that_share_a_folder_measure_a_part_each(tmp_path):
    write_domain(tmp_path / "data/first", [*PICTURES, *PICTURES])
    measurement = ImageMeasurement(str(tmp_path / "data"), InscribedEllipse(), ())
    alone, kept = measure_all(measurement), tmp_path / "kept"
    steps = []
    assert measure_shard(measurement, (2, 3), kept, progress=lambda *step: steps.append(step)) is None
    assert steps == [(0, 1), (1, 1)]
    (kept / "finished_3_of_3.jsonl").write_text((kept / "finished_2_of_3.jsonl").read_text() + '{"half')  # at work
    assert measure_shard(measurement, (1, 3), kept) is None
    (kept / "finished_3_of_3.jsonl").unlink()
    assert measure_shard(measurement, (3, 3), kept) == alone
    assert measure_all(measurement, folder=kept, progress=lambda *step: steps.append(step)) == alone
    assert steps[2:] == [(4, 4)]
    with pytest.raises(InvalidInputError, match="1/3 to 3/3; got 4/3"):
        measure_shard(measurement, (4, 3), kept)


def test_nothing_to_measure_is_refused():
    letters = Letter()
    letters.names = list
    with pytest.raises(InvalidInputError, match="Nothing to measure"):
        measure_all(letters)


def test_the_worst_frame_of_each_object_is_kept_and_of_the_worst_three():
    worst = WorstFrames()
    for object_id in range(1, 6):
        for frame, score in ((4, 0.9), (5, object_id / 10), (6, 0.8)):
            worst.offer(object_id, frame, score, np.full((2, 3), frame == 5))
    assert [(each.object_id, each.frame, each.score) for each in worst.of(range(1, 6))] == [
        (1, 5, 0.1),
        (2, 5, 0.2),
        (3, 5, 0.3),
    ]
    assert decode_run_length(worst.of([1])[0].predicted).all()
    assert [each.object_id for each in worst.of([2, 5])] == [2, 5]
