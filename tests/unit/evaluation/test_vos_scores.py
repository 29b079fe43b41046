import numpy as np
import pytest

from masklet.errors import InvalidInputError
from masklet.evaluation.vos_scores import CountingRule, ObjectSeries, Statistics, mean_statistics, statistics

EMPTY = np.zeros((40, 60), dtype=bool)
DRAWN = EMPTY.copy()
DRAWN[15:25, 20:30] = True
SHIFTED = np.roll(DRAWN, 3, axis=1)  # J = 70 / 130; F = 0.5, see tests/unit/masks/test_boundaries.py


def series(*pairs):
    gathered = ObjectSeries(4)
    for truth, predicted in pairs:
        gathered.add(truth, predicted)
    return gathered


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.6], Statistics(0.6, 1.0, 0.0)),
        ([0.5, 0.25], Statistics(0.375, 0.0, 0.25)),
        # Quarters of eight values: [0:3] and [5:8], as the borders 1, 2.75, 4.5, 6.25, 8 are rounded and both included.
        ([1.0, 1.0, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2], Statistics(0.5875, 0.5, 0.9 - 0.3)),
        (np.r_[np.ones(300), np.zeros(300)], Statistics(0.5, 0.5, 1.0)),
    ],
    ids=["one", "two", "eight", "more than 256"],
)
def test_statistics(values, expected):
    found = statistics(values)
    np.testing.assert_allclose(
        (found.mean, found.recall, found.decay), (expected.mean, expected.recall, expected.decay), atol=1e-12
    )


def test_the_first_and_the_last_frame_do_not_count():
    scores = series((DRAWN, EMPTY), (DRAWN, DRAWN), (DRAWN, SHIFTED), (DRAWN, EMPTY)).scores()
    assert scores.object_id == 4
    assert scores.j.mean == pytest.approx((1 + 70 / 130) / 2)
    assert scores.f.mean == pytest.approx((1 + 0.5) / 2)
    assert (scores.j.recall, scores.f.recall) == (1.0, 0.5)


def test_frames_without_the_object():
    gathered = series((EMPTY, EMPTY), (EMPTY, EMPTY), (DRAWN, SHIFTED), (EMPTY, EMPTY), (EMPTY, EMPTY))
    assert gathered.scores(CountingRule.DAVIS).j.mean == pytest.approx((1 + 70 / 130 + 1) / 3)
    assert gathered.scores(CountingRule.APPEARANCE).j.mean == pytest.approx((70 / 130 + 1) / 2)


def test_a_false_alarm_is_an_appearance():
    gathered = series((EMPTY, EMPTY), (EMPTY, DRAWN), (DRAWN, DRAWN), (EMPTY, EMPTY))
    assert gathered.scores(CountingRule.APPEARANCE).j.mean == pytest.approx(0.5)


def test_an_object_that_never_appears():
    gathered = series(*[(EMPTY, EMPTY)] * 3)
    assert gathered.scores(CountingRule.DAVIS).j.mean == 1
    assert gathered.scores(CountingRule.APPEARANCE) is None


def test_two_frames_are_too_few():
    with pytest.raises(InvalidInputError, match="got 2"):
        series(*[(DRAWN, DRAWN)] * 2).scores()


def test_mean_over_objects():
    mean = mean_statistics([Statistics(0.5, 1.0, -0.25), Statistics(1.0, 0.0, 0.75)])
    assert mean == Statistics(0.75, 0.5, 0.25)
