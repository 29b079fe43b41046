import numpy as np
import pytest

from masklet.evaluation.vos.scores import (
    CountingRule,
    FrameScores,
    Statistics,
    counted_frames,
    statistics,
    without_ends,
)

EMPTY = np.zeros((40, 60), dtype=bool)
DRAWN = EMPTY.copy()
DRAWN[15:25, 20:30] = True
SHIFTED = np.roll(DRAWN, 3, axis=1)  # J = 70 / 130; F = 0.5, see tests/unit/masks/test_boundaries.py


def frames(*pairs):
    return [FrameScores.between(*pair) for pair in pairs]


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


def mean_j(counted):
    return np.mean([each.j for each in counted])


def test_the_first_and_the_last_frame_are_not_measured():
    assert [without_ends(list(range(count))) for count in range(5)] == [[], [], [], [1], [1, 2]]


def test_j_and_f_of_a_frame():
    equal, shifted = frames((DRAWN, DRAWN), (DRAWN, SHIFTED))
    assert (equal.j, equal.f) == (1, 1)
    assert (shifted.j, shifted.f) == (pytest.approx(70 / 130), pytest.approx(0.5))
    assert shifted.j_and_f == pytest.approx((70 / 130 + 0.5) / 2)


def test_frames_without_the_object():
    given = frames((EMPTY, EMPTY), (DRAWN, SHIFTED), (EMPTY, EMPTY))
    assert mean_j(counted_frames(given, CountingRule.DAVIS)) == pytest.approx((1 + 70 / 130 + 1) / 3)
    assert mean_j(counted_frames(given, CountingRule.APPEARANCE)) == pytest.approx((70 / 130 + 1) / 2)


def test_a_false_alarm_is_an_appearance():
    given = frames((EMPTY, DRAWN), (DRAWN, DRAWN))
    assert mean_j(counted_frames(given, CountingRule.APPEARANCE)) == pytest.approx(0.5)


@pytest.mark.parametrize("predicted", [EMPTY, DRAWN])
def test_an_object_that_the_truth_never_shows_where_it_counts(predicted):
    given = frames((EMPTY, predicted), (EMPTY, EMPTY))
    assert len(counted_frames(given, CountingRule.DAVIS)) == 2
    assert not counted_frames(given, CountingRule.APPEARANCE)
