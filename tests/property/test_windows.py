"""Tokens cut into windows and back, for any grid."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from masklet.modeling.windows import Grid, from_windows, in_layout, to_windows

SIDES, WINDOWS = st.integers(1, 13), st.integers(1, 6)


def numbered(batch: int, height: int, width: int) -> torch.Tensor:
    return torch.arange(1.0, batch * height * width * 2 + 1).view(batch, height, width, 2)


@given(st.integers(1, 3), SIDES, SIDES, WINDOWS)
def test_round_trip(batch: int, height: int, width: int, window: int) -> None:
    x = numbered(batch, height, width)
    windows = to_windows(x, window)
    assert windows.shape == (batch * -(-height // window) * -(-width // window), window, window, 2)
    assert torch.equal(from_windows(windows, window, height, width), x)
    assert windows.sum() == x.sum()  # what is added is zeros


@given(SIDES, SIDES, WINDOWS, st.data())
def test_a_token_lies_in_the_window_of_its_place(height: int, width: int, window: int, data: st.DataObject) -> None:
    row, column = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    x = numbered(2, height, width)
    number = (1 * -(-height // window) + row // window) * -(-width // window) + column // window
    assert torch.equal(to_windows(x, window)[number, row % window, column % window], x[1, row, column])


@given(st.integers(1, 3), st.integers(1, 3), WINDOWS, WINDOWS)
def test_moving_between_layouts(rows: int, columns: int, first: int, second: int) -> None:
    grid = Grid(rows * first * second, columns * first * second)
    x = numbered(2, grid.height, grid.width)
    assert in_layout(x, grid, 0) is x
    in_first = in_layout(x, grid, first)
    in_second = in_layout(in_first, Grid(grid.height, grid.width, first), second)
    assert torch.equal(in_second, to_windows(x, second))
    assert torch.equal(in_layout(in_second, Grid(grid.height, grid.width, second), 0), x)


@given(SIDES, SIDES, st.integers(0, 6))
def test_which_windows_fit(height: int, width: int, window: int) -> None:
    tiles = window > 0 and len(to_windows(numbered(1, height, width), window)) * window**2 == height * width
    assert Grid(height, width).fits(window) == tiles


def test_pooling_a_grid_halves_everything() -> None:
    assert Grid(12, 8, 4).pooled() == Grid(6, 4, 2)
