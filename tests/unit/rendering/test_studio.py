"""Photographs: what is in front hides what is behind, light is bright, shadows are dark. Needs OpenGL."""

import numpy as np
import pytest

pytest.importorskip("moderngl")

from rendering.cameras import looking_at, perspective
from rendering.catalogue import Model
from rendering.looks import Kind, Look
from rendering.studio import Light, Placed, Studio, View
from rendering.wavefront import Material, Part

SIZE = (96, 64)


@pytest.fixture(scope="module")
def studio() -> Studio:
    grey = np.full((8, 8, 3), 128, np.uint8)
    blue = np.zeros((8, 8, 3), np.uint8)
    blue[..., 2] = 255
    try:
        return Studio([grey], [blue])
    except Exception as error:
        pytest.skip(f"no OpenGL without a screen: {error}")


def card(x: float, z: float, colour: tuple[float, float, float], number: int, half: float = 0.5) -> Placed:
    """An upright square that faces the camera."""
    corners = np.zeros((6, 8), np.float32)
    corners[:, :2] = np.array([[-1, -1], [1, -1], [1, 1], [-1, -1], [1, 1], [-1, 1]]) * half
    corners[:, 5] = 1
    model = Model("card", "Office", np.full(3, 2 * half), (Part(corners, Material()),))
    to_world = np.eye(4)
    to_world[:3, 3] = x, 0, z
    return Placed(model, to_world, [Look(Kind.PLAIN, np.array(colour), np.ones(3), shine=0.0)], number)


def view() -> View:
    eye = np.array([0.0, 0, 4])
    return View(eye, looking_at(eye, np.zeros(3)), perspective(np.deg2rad(60), 1.5, 0.1, 20), SIZE)


def light(towards: tuple[float, float, float] = (0, 0, 1), lamp: float = 0.0, around: float = 1.0) -> Light:
    direction = np.array(towards) / np.linalg.norm(towards)
    return Light(direction, np.full(3, lamp), np.full(3, around), np.full(3, around), np.zeros(3), 4.0)


def test_numbers_and_colours_are_of_what_is_in_front(studio: Studio) -> None:
    behind, front = card(0, -1, (1, 0, 0), 1), card(0.5, 0, (0, 1, 0), 2)
    for placed in ([behind, front], [front, behind]):
        seen = studio.photograph(placed, view(), light(), 0)
        assert set(np.unique(seen.numbers)) == {0, 1, 2}
        inner = [np.median(seen.picture[seen.numbers == number], axis=0).tolist() for number in (0, 1, 2)]
        assert inner == [[0, 0, 255], [255, 0, 0], [0, 255, 0]]
        assert set(np.unique(seen.parts[seen.numbers > 0])) == {1}


def test_a_thing_is_as_large_as_perspective_makes_it(studio: Studio) -> None:
    seen = studio.photograph([card(0, 0, (1, 1, 1), 9)], view(), light(), None)
    rows, columns = np.nonzero(seen.numbers)
    side = SIZE[1] / (2 * 4 * np.tan(np.deg2rad(30)))  # one metre at four metres
    assert np.ptp(rows) + 1 == pytest.approx(side, abs=1.5)
    assert np.ptp(columns) + 1 == pytest.approx(side, abs=1.5)


def test_what_stands_in_the_light_throws_a_shadow(studio: Studio) -> None:
    wall, small = card(0, -1, (1, 1, 1), 0, half=3), card(0, 0.5, (1, 1, 1), 1, half=0.3)
    lamp = light(towards=(1, 0, 1), lamp=0.5, around=0.1)
    with_it = studio.photograph([wall, small], view(), lamp, None).picture.astype(int)
    without = studio.photograph([wall], view(), lamp, None).picture.astype(int)
    darker = (without - with_it).max(axis=2) > 60
    assert darker.any()
    assert np.nonzero(darker)[1].mean() < SIZE[0] / 2 - 5  # on the side away from the lamp


def test_surroundings_throw_none(studio: Studio) -> None:
    wall, small = card(0, -1, (1, 1, 1), 0, half=3), card(0, 0.5, (1, 1, 1), 0, half=0.3)
    lamp = light(towards=(1, 0, 1), lamp=0.5, around=0.1)
    with_it = studio.photograph([wall, small], view(), lamp, None).picture.astype(int)
    without = studio.photograph([wall], view(), lamp, None).picture.astype(int)
    assert np.abs(without - with_it).max() <= 60
