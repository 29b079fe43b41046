import random

import pytest

from masklet.formats.columns_on_disk import ColumnsOnDisk


@pytest.mark.parametrize("most_held", [0, 7, 10**6])
def test_columns_are_what_was_added_to_them_in_order(most_held):
    cells = [(random.Random(n).choice("abc"), bytes([n])) for n in range(100)]
    with ColumnsOnDisk(most_held) as columns:
        for key, cell in cells:
            columns.append(key, cell)
        for key in "abcd":
            assert b"".join(columns.column(key)) == b"".join(cell for other, cell in cells if other == key)


def test_what_is_held_is_bounded():
    with ColumnsOnDisk(most_held=10) as columns:
        for _ in range(50):
            columns.append("a", b"12345")
        pieces = list(columns.column("a"))
    assert len(pieces[-1]) <= 10
    assert sum(map(len, pieces)) == 250
