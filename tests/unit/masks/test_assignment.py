from itertools import permutations

import numpy as np
import pytest

from masklet.errors import InvalidInputError
from masklet.masks.assignment import best_assignment


def best_by_trying(gains):
    rows, columns = gains.shape
    if rows > columns:
        return best_by_trying(gains.T)
    chosen = permutations(range(columns), rows)
    return max(sum(gains[row, column] for row, column in enumerate(each)) for each in chosen)


@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (3, 3), (2, 5), (5, 2), (4, 6), (6, 4), (6, 6)])
@pytest.mark.parametrize("kind", ["random", "ties", "negative"])
def test_no_other_assignment_gains_more(shape, kind):
    rng = np.random.default_rng([*shape, len(kind)])
    for _ in range(8):
        gains = {
            "random": rng.random(shape),
            "ties": rng.integers(0, 3, shape).astype(float),
            "negative": -rng.exponential(size=shape),
        }[kind]
        rows, columns = best_assignment(gains)
        assert len(set(rows)) == len(set(columns)) == len(rows) == min(shape)
        assert (np.diff(rows) > 0).all()
        assert gains[rows, columns].sum() == pytest.approx(best_by_trying(gains))


def test_the_greedy_choice_is_not_the_best():
    rows, columns = best_assignment([[0.9, 0.8], [0.8, 0.1]])
    assert list(zip(rows, columns, strict=True)) == [(0, 1), (1, 0)]


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
def test_nothing_to_assign(shape):
    assert [each.tolist() for each in best_assignment(np.zeros(shape))] == [[], []]


@pytest.mark.parametrize("gains", [[1.0, 2.0], [[np.nan]], [[np.inf, 0.0]]])
def test_refused(gains):
    with pytest.raises(InvalidInputError, match="matrix of finite numbers"):
        best_assignment(gains)
