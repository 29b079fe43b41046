"""The best pairs of rows and columns: an exact assignment, as identities and evaluations need it."""

import numpy as np
import numpy.typing as npt

from masklet.errors import InvalidInputError

Places = npt.NDArray[np.int64]


def best_assignment(gains: npt.ArrayLike) -> tuple[Places, Places]:
    """Return the pairs (rows ascending, their columns) whose gains have the largest sum, each row and column once.

    As many pairs as rows or columns, whichever are fewer. Shortest augmenting paths (Jonker and Volgenant, 1987) in
    n x n x m steps for n rows and m columns.

    Args:
        gains: float [n, m]; where a pair makes no sense, a gain below that of any pair which does.

    Raises:
        InvalidInputError: if it is no matrix, or a gain is not finite.
    """
    gains = np.asarray(gains, dtype=np.float64)
    if gains.ndim != 2 or not np.isfinite(gains).all():
        raise InvalidInputError(f"Gains are a matrix of finite numbers [n, m]; got the shape {list(gains.shape)}.")
    if gains.shape[0] > gains.shape[1]:
        columns, rows = best_assignment(gains.T)
        order = np.argsort(rows)
        return rows[order], columns[order]
    return np.arange(len(gains)), _columns_of(-gains)


def _columns_of(costs: npt.NDArray[np.float64]) -> Places:
    """Return the column of each row, of at least as many columns, such that the costs have the smallest sum."""
    row_count, column_count = costs.shape
    row_of = np.full(column_count, -1)  # of each column
    row_prices, column_prices = np.zeros(row_count), np.zeros(column_count)
    for start in range(row_count):
        before = np.full(column_count, -1)  # the column that each was reached from
        lengths = np.full(column_count, np.inf)  # of the shortest path to each
        is_final = np.zeros(column_count, dtype=bool)
        row, column, length = start, -1, 0.0
        while row >= 0:
            through = length + costs[row] - row_prices[row] - column_prices
            is_shorter = ~is_final & (through < lengths)
            lengths[is_shorter], before[is_shorter] = through[is_shorter], column
            column = int(np.where(is_final, np.inf, lengths).argmin())
            length, is_final[column] = float(lengths[column]), True
            row = int(row_of[column])
        reached = is_final & (row_of >= 0)
        row_prices[start] += length
        row_prices[row_of[reached]] += length - lengths[reached]
        column_prices[is_final] -= length - lengths[is_final]
        while column >= 0:
            row_of[column] = start if before[column] < 0 else row_of[before[column]]
            column = int(before[column])
    columns = np.empty(row_count, dtype=np.int64)
    columns[row_of[row_of >= 0]] = np.flatnonzero(row_of >= 0)
    return columns
