"""Small holes and islands against the function for them that Meta's SAM 2 ships, and nothing there calls."""

from typing import Any

import numpy as np
import pytest
from tests.parity.conftest import INSTALL

from masklet.masks.components import without_small_regions


@pytest.fixture(scope="module")
def amg() -> Any:
    return pytest.importorskip("sam2.utils.amg", reason=INSTALL)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("area", [1, 2, 5, 12, 40.5])
def test_holes_then_islands(amg: Any, seed: int, area: float) -> None:
    generator = np.random.default_rng(seed)
    mask = np.zeros((40, 50), dtype=bool)
    top, left = generator.integers(0, 20, 2)
    mask[top : top + 20, left : left + 25] = generator.random((20, 25)) < generator.uniform(0.1, 0.9)
    filled, has_holes = amg.remove_small_regions(mask, area, mode="holes")
    expected, has_islands = amg.remove_small_regions(filled, area, mode="islands")
    cleaned, is_changed = without_small_regions(mask, area)
    np.testing.assert_array_equal(cleaned, expected)
    assert is_changed == (has_holes or has_islands)
