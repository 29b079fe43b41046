import numpy as np
import pytest

from masklet.evaluation.reporting.intervals import confidence_interval


def test_the_interval_is_that_of_the_normal_distribution_for_many_independent_values():
    values = np.random.default_rng(1).normal(0.5, 0.1, 400)
    low, high = confidence_interval([[(each,) for each in values]])
    half = 1.96 * values.std() / 20
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.0015)


def test_objects_of_one_picture_count_as_one_draw():
    """Ten alike objects in each picture say no more than one."""
    values = np.random.default_rng(2).random(30)
    alone = confidence_interval([[(each,) for each in values]])
    crowds = confidence_interval([[(each,) * 10 for each in values]])
    assert crowds == pytest.approx(alone)


def test_each_dataset_weighs_the_same():
    fixed = [(0.0,)] * 50
    varied = [(each,) for each in np.random.default_rng(3).random(50)]
    of_one = confidence_interval([varied])
    of_both = confidence_interval([fixed, varied])
    assert of_both.high - of_both.low == pytest.approx((of_one.high - of_one.low) / 2, rel=0.1)


def test_the_seed_decides():
    values = [[(each,) for each in np.linspace(0, 1, 20)] + [()]]
    assert confidence_interval(values) == confidence_interval(values)
    assert confidence_interval(values) != confidence_interval(values, seed=1)


@pytest.mark.parametrize("datasets", [[], [[(0.5, 0.6)]], [[(0.5,), ()]], [[(0.5,), (0.6,)], [(0.1,)]]])
def test_nothing_to_draw_from(datasets):
    assert confidence_interval(datasets) is None
