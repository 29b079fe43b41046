import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest
from tests.unit.evaluation.stills.test_clicks_and_boxes import PICTURES, write_domain

from masklet.errors import InvalidInputError
from masklet.evaluation.measured_item import MeasuredItem, WorstFrames
from masklet.evaluation.measurement import run
from masklet.evaluation.stills.baselines import InscribedEllipse
from masklet.evaluation.stills.clicks_and_boxes import StillsMeasurement
from masklet.masks.run_length import decode_run_length


class Counting:
    """Measures nothing; counts what it is asked, and fails at `fails_at`."""

    predictor_name = "counting"

    def __init__(self, setting=1, fails_at=None):
        self.asked, self.setting, self.fails_at = [], setting, fails_at

    def names(self):
        return ["a", "b", "c"]

    def files(self, name):
        return [Path(name)]

    def settings(self):
        return {"setting": self.setting, "pair": (1, 2)}

    def measure(self, name):
        if name == self.fails_at:
            raise KeyboardInterrupt
        self.asked.append(name)
        return MeasuredItem(name, "letters", 1, (1,), {"IoU": (ord(name) / 128,)})


def test_what_was_finished_before_an_interruption_is_not_measured_again(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(Counting(fails_at="c"), folder=tmp_path)
    again, steps = Counting(), []
    resumed = run(again, folder=tmp_path, progress=lambda done, total: steps.append((done, total)))
    assert again.asked == ["c"]
    assert steps == [(2, 3), (3, 3)]
    assert resumed == run(Counting())


def test_a_line_that_was_cut_off_is_measured_again(tmp_path):
    whole = run(Counting(), folder=tmp_path)
    file = tmp_path / "finished.jsonl"
    file.write_bytes(file.read_bytes()[:-10])
    again = Counting()
    assert run(again, folder=tmp_path) == whole
    assert again.asked == ["c"]
    assert len([json.loads(line) for line in file.read_text().splitlines()]) == 4


def test_other_settings_are_refused(tmp_path):
    run(Counting(), folder=tmp_path)
    with pytest.raises(InvalidInputError, match=r"setting: 1, now 2"):
        run(Counting(setting=2), folder=tmp_path)


def test_damaged_lines_are_named(tmp_path):
    (tmp_path / "finished.jsonl").write_text("{}\nnothing\n")
    with pytest.raises(InvalidInputError, match=r"finished\.jsonl is damaged"):
        run(Counting(), folder=tmp_path)
    (tmp_path / "finished.jsonl").write_text("{}\n" + "[" * 5000 + "\n")
    with pytest.raises(InvalidInputError, match=r"finished\.jsonl is damaged"):
        run(Counting(), folder=tmp_path)


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
        ({"worst": [{}]}, "predicted"),
        ({"worst": 3}, "not iterable"),
    ],
)
def test_foreign_lines_are_named(tmp_path, changes, reason):
    run(Counting(), folder=tmp_path)
    line = {"state": "", "name": "z", "dataset": "x", "frames": 1, "object_ids": [1], "values": {}, "worst": [WORST]}
    file = tmp_path / "finished.jsonl"
    whole = file.read_text()
    file.write_text(whole + json.dumps(line) + "\n")
    run(Counting(), folder=tmp_path)
    file.write_text(whole + json.dumps(line | changes) + "\n")
    with pytest.raises(InvalidInputError, match=rf"holds a line that is no measured .*{reason}.*; delete the file"):
        run(Counting(), folder=tmp_path)


def test_several_workers_measure_the_same(tmp_path):
    write_domain(tmp_path / "first", [*PICTURES, *PICTURES])
    measurement = StillsMeasurement(str(tmp_path), InscribedEllipse(), ())
    alone = run(measurement)
    steps = []
    assert run(measurement, workers=2, progress=lambda *step: steps.append(step)) == alone
    assert steps == [(number, 4) for number in range(5)]


def test_what_a_worker_raises_arrives_here(tmp_path):
    write_domain(tmp_path / "first", PICTURES)
    (tmp_path / "first/images/1.png").write_bytes(b"nothing")
    with pytest.raises(OSError, match=r"1\.png"):
        run(StillsMeasurement(str(tmp_path), InscribedEllipse(), ()), workers=2)


class Deadly(Counting):
    """Kills the process that measures "b", as a system short of memory does."""

    def measure(self, name):
        if name == "b":
            os.kill(os.getpid(), signal.SIGKILL)
        return super().measure(name)


def test_a_killed_worker_is_no_fault_and_what_it_left_goes_on(tmp_path):
    with pytest.raises(InvalidInputError, match="of 2 worker processes was ended, probably for lack of memory"):
        run(Deadly(), folder=tmp_path, workers=2)
    assert run(Counting(), folder=tmp_path) == run(Counting())


def test_no_worker_is_too_few():
    with pytest.raises(InvalidInputError, match="At least one worker"):
        run(Counting(), workers=0)


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
