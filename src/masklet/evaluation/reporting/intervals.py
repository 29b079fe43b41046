"""Confidence intervals of means: a jackknife over images or videos, and Student's t distribution."""

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np

LEVEL = 0.95
FEWEST_ITEMS = 4
LEAST_FREEDOM, MOST_FREEDOM = 1.0, 1e4  # with more, t is that of the normal distribution to four digits
QUADRATURE_POINTS = 8193


class Interval(NamedTuple):
    """Between `low` and `high` the true mean is expected with a probability of 95 %."""

    low: float
    high: float


class _Estimate(NamedTuple):
    """The mean over the objects of a dataset, its variance, and how many equal items would be as certain."""

    mean: float
    variance: float
    items: float

    @classmethod
    def of(cls, items: Sequence[Sequence[float]]) -> Self:
        sums, counts = np.array([(np.sum(each), len(each)) for each in items]).T
        mean = sums.sum() / counts.sum()
        without_one = (sums.sum() - sums) / (counts.sum() - counts)
        variance = (len(items) - 1) / len(items) * np.sum((without_one - mean) ** 2)
        return cls(float(mean), float(variance), float(counts.sum() ** 2 / np.sum(counts**2)))


def confidence_interval(datasets: Sequence[Sequence[Sequence[float]]]) -> Interval | None:
    """Return the interval of a mean over objects, then over datasets, or None where too little was measured.

    It is the mean plus and minus t times its standard error. The objects of one image or video are alike, so the
    error of a dataset's mean is estimated by leaving out whole images or videos, one at a time (jackknife; Efron and
    Stein, 1981). An interval needs two of them in each dataset and four in all.

    Args:
        datasets: of each dataset, of each image or video, the values (-1 to 1) of its objects.
    """
    measured = [[each for each in items if len(each)] for items in datasets]
    if min(map(len, measured), default=0) < 2 or sum(map(len, measured)) < FEWEST_ITEMS:
        return None
    estimates = [_Estimate.of(items) for items in measured]
    mean = float(np.mean([each.mean for each in estimates]))
    error = float(np.sqrt(sum(each.variance for each in estimates))) / len(estimates)
    half = error * t_quantile(_degrees_of_freedom(estimates)) if error else 0.0
    return Interval(max(-1.0, mean - half), min(1.0, mean + half))


def t_quantile(freedom: float) -> float:
    """Return the two-sided 95 % quantile of Student's t, for 1 or more degrees of freedom.

    With t = sqrt(freedom) tan(angle), the density of the angle is proportional to cos(angle) ** (freedom - 1).
    """
    angles = np.linspace(0, np.pi / 2, QUADRATURE_POINTS)
    density = np.cos(angles) ** (freedom - 1)
    share = np.r_[0.0, np.cumsum(density[1:] + density[:-1])]
    return float(np.sqrt(freedom) * np.tan(np.interp(LEVEL * share[-1], share, angles)))


def _degrees_of_freedom(estimates: Sequence[_Estimate]) -> float:
    """Those of Welch and Satterthwaite, by the variances found or, if these are fewer, by equally varied items.

    A dataset of three images that happen to be alike would otherwise count as certain.
    """
    found = _satterthwaite([each.variance for each in estimates], estimates)
    expected = _satterthwaite([1 / each.items for each in estimates], estimates)
    return float(np.clip(min(found, expected), LEAST_FREEDOM, MOST_FREEDOM))


def _satterthwaite(variances: Sequence[float], estimates: Sequence[_Estimate]) -> float:
    shares = np.array(variances) / sum(variances)
    return float(1 / np.sum(shares**2 / [each.items - 1 for each in estimates]))
