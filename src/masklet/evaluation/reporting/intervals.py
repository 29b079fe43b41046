"""How sure a mean is: confidence intervals by drawing pictures or videos again (bootstrap; Efron, 1979)."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

DRAWS = 2000
LEVEL = 0.95


class Interval(NamedTuple):
    """Between `low` and `high` the true mean is expected with a probability of 95 %."""

    low: float
    high: float


def confidence_interval(datasets: Sequence[Sequence[Sequence[float]]], seed: int = 0) -> Interval | None:
    """Return the interval of a mean over objects, then over datasets, or None where nothing can be drawn.

    Whole pictures or videos are drawn with replacement within each dataset, 2000 times, as the objects of one are
    alike; the interval holds the middle 95 % of the means.

    Args:
        datasets: of each dataset, of each picture or video, the values of its objects.
        seed: the same values and seed give the same interval.
    """
    if not datasets or any(sum(len(each) > 0 for each in items) < 2 for items in datasets):
        return None
    generator = np.random.default_rng(seed)
    means = np.zeros(DRAWS)
    for items in datasets:
        totals = np.array([(np.sum(each), len(each)) for each in items if len(each)])
        draws = generator.multinomial(len(totals), np.full(len(totals), 1 / len(totals)), size=DRAWS)
        sums, counts = (draws @ totals).T
        means += sums / counts / len(datasets)
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(low), float(high))
