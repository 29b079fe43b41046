"""Where a camera shows a point."""

import numpy as np
import pytest
from rendering.cameras import direction, looking_at, orthographic, perspective, turned


def shown(matrix: np.ndarray, point: tuple[float, float, float]) -> np.ndarray:
    x, y, z, w = matrix @ np.array([*point, 1.0])
    return np.array([x, y, z]) / w


def test_what_is_looked_at_is_in_the_middle_and_up_is_up() -> None:
    camera = looking_at(np.array([3.0, 2, 4]), np.array([1.0, 1, 1]))
    matrix = perspective(1.0, 1.5, 0.1, 100) @ camera
    np.testing.assert_allclose(shown(matrix, (1, 1, 1))[:2], 0, atol=1e-9)
    assert shown(matrix, (1, 1.5, 1))[1] > 0


def test_the_edges_of_the_angle_of_view_are_those_of_the_image() -> None:
    matrix = perspective(np.deg2rad(90), 2.0, 1, 10)
    np.testing.assert_allclose(shown(matrix, (0, 3, -3)), [0, 1, shown(matrix, (0, 0, -3))[2]], atol=1e-9)
    assert shown(matrix, (6, 0, -3))[0] == pytest.approx(1)
    assert shown(matrix, (0, 0, -1))[2] == pytest.approx(-1)
    assert shown(matrix, (0, 0, -10))[2] == pytest.approx(1)


def test_without_perspective_distance_does_not_matter() -> None:
    matrix = orthographic(2.0, 8.0)
    np.testing.assert_allclose(shown(matrix, (2, -1, -5))[:2], [1, -0.5])
    assert shown(matrix, (0, 0, -8))[2] == pytest.approx(1)


def test_a_turn_keeps_height_and_length() -> None:
    np.testing.assert_allclose(turned(np.pi / 2) @ [1, 5, 0, 1], [0, 5, -1, 1], atol=1e-9)
    np.testing.assert_allclose(direction(np.pi / 2, np.pi / 4), [0, np.sqrt(0.5), np.sqrt(0.5)], atol=1e-9)
