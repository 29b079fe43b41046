import numpy as np
import pytest

from masklet.evaluation.reporting.intervals import confidence_interval, t_quantile


@pytest.mark.parametrize(
    ("freedom", "expected"), [(1, 12.7062), (2, 4.3027), (3, 3.1824), (5, 2.5706), (19, 2.0930), (10000, 1.9602)]
)
def test_quantiles_are_those_of_the_tables(freedom, expected):
    assert t_quantile(freedom) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("counts", [(6,), (20,), (50, 50, 30, 3, 18)])
@pytest.mark.parametrize("most_objects", [1, 4])
def test_the_true_mean_lies_within_95_of_100_intervals(counts, most_objects):
    generator, trials, mean = np.random.default_rng(7), 300, 0.5

    def items(count):
        return [
            np.clip(level + generator.normal(0, 0.05, generator.integers(1, most_objects + 1)), 0, 1)
            for level in generator.beta(3, 3, count)
        ]

    intervals = [confidence_interval([items(count) for count in counts]) for _ in range(trials)]
    assert 0.92 <= np.mean([low <= mean <= high for low, high in intervals]) <= 0.98


def test_the_interval_is_that_of_the_normal_distribution_for_many_independent_values():
    values = np.random.default_rng(1).normal(0.5, 0.1, 400)
    low, high = confidence_interval([[(each,) for each in values]])
    half = 1.96 * values.std() / 20
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=1e-4)


def test_objects_of_one_image_count_as_one():
    """Ten alike objects in each image say no more than one."""
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


def test_values_that_do_not_vary_are_certain():
    assert confidence_interval([[(0.25,)] * 4]) == (0.25, 0.25)


def test_no_interval_goes_beyond_what_values_can_be():
    assert confidence_interval([[(1.0,), (1.0,), (1.0,), (0.2,)]]).high == 1


@pytest.mark.parametrize(
    "datasets",
    [[], [[(0.5, 0.6)]], [[(0.5,), ()]], [[(0.5,), (0.6,)], [(0.1,)]], [[(0.5,), (0.6,), (0.7,), ()]]],
)
def test_too_little_to_tell(datasets):
    assert confidence_interval(datasets) is None
