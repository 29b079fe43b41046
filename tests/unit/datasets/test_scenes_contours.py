"""Things that their contour alone tells from what is around them, round things, and the surface that both have."""

import cv2
import numpy as np
import pytest
from tests.support.scenes import tiny_bank

from masklet.datasets.scenes import compositions, contours, fills, shapes
from masklet.datasets.scenes.layers import Composition, Layer, Stamp, paint
from masklet.datasets.scenes.relief import Relief
from masklet.datasets.scenes.round_objects import round_objects
from masklet.masks.components import enclosed_holes

SIZE = 96
MIDDLE, RADIUS = (48.0, 48.0), 30.0


def disc(centre: tuple[float, float] = MIDDLE) -> Stamp:
    angles = np.linspace(0, 2 * np.pi, 100)
    outline = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return shapes.draw([outline * RADIUS + np.array(centre)], SIZE)


def at(stamp: Stamp, values: np.ndarray, x: float, y: float) -> float:
    """The value of a stamp's pixel at a place of the canvas."""
    return float(np.squeeze(values[int(y) - stamp.top, int(x) - stamp.left]))


def test_a_ball_faces_the_viewer_in_the_middle_and_outwards_at_its_rim() -> None:
    stamp = disc()
    ball, lid = Relief.of(stamp, 1.0), Relief.of(stamp, 0.2)
    assert at(stamp, ball.facing, 48, 48) > 0.95
    assert at(stamp, ball.facing, 48, 20) < 0.5
    assert at(stamp, lid.facing, 48, 32) == 1  # flat beyond a fifth of the radius
    assert at(stamp, ball.right, 75, 48) > 0.8
    assert at(stamp, ball.right, 21, 48) < -0.8
    assert at(stamp, ball.down, 48, 75) > 0.8
    assert abs(at(stamp, ball.right, 48, 75)) < 0.1
    for relief in (ball, lid):
        length = relief.facing**2 + relief.right**2 + relief.down**2
        assert length.max() <= 1 + 1e-5


def test_the_canvas_edge_is_no_outline() -> None:
    stamp = disc(centre=(0.0, 48.0))
    relief = Relief.of(stamp, 1.0)
    assert at(stamp, relief.distance, 0, 48) > RADIUS - 2
    assert abs(at(stamp, relief.right, 0, 48)) < 0.2


def test_light_and_highlight_come_from_where_the_light_is() -> None:
    stamp = disc()
    relief = Relief.of(stamp, 1.0)
    light = relief.lit(angle=0.0, height=0.0)
    assert at(stamp, light, 72, 48) > 0.5
    assert at(stamp, light, 24, 48) == pytest.approx(-at(stamp, light, 72, 48), abs=0.1)
    shine = relief.shine(angle=np.pi / 2, height=0.5, sharpness=40)[..., 0]
    row, column = np.unravel_index(shine.argmax(), shine.shape)
    assert (stamp.top + row, stamp.left + column) > (52, 40)  # below the middle: angles grow downwards
    assert abs(stamp.left + column - 48) < 4
    assert shine.max() > 0.9


def test_a_body_shifts_what_is_seen_through_it_outwards() -> None:
    stamp = disc()
    canvas = np.repeat(np.tile(np.arange(SIZE, dtype=np.float32), (SIZE, 1))[..., None], 3, axis=2)
    relief = Relief.of(stamp, 1.0)
    np.testing.assert_allclose(relief.refracted(canvas, stamp, 0.0), fills.piece_under(canvas, stamp), atol=1e-3)
    seen = relief.refracted(canvas, stamp, 0.5)[..., 0]
    assert at(stamp, seen, 70, 48) > 70 + 5
    assert at(stamp, seen, 26, 48) < 26 - 5
    assert at(stamp, seen, 48, 48) == pytest.approx(48, abs=2)


@pytest.mark.parametrize(
    ("at_rim", "inside", "expected"), [(0, 0, False), (0, 90, False), (5, 90, False), (7, 0, True), (-7, 0, True)]
)
def test_a_thing_shows_if_its_rim_does(at_rim: float, inside: float, expected: bool) -> None:
    stamp = disc()
    relief = Relief.of(stamp, 1.0)
    difference = np.where(relief.distance[..., None] <= contours.RIM, np.float32(at_rim), np.float32(inside))
    assert contours.shows(difference * np.ones(3, np.float32), stamp, relief) == expected


def colour_steps(composition: Composition) -> list[float]:
    """How much the mean colour of each layer's inside differs from what it hides of the background."""
    steps = []
    for layer in composition.layers:
        inside = layer.stamp.alpha > 0.9
        if inside.sum() > 50:
            behind = fills.piece_under(composition.background, layer.stamp)
            steps.append(float(np.abs(layer.colour[inside].mean(0) - behind[inside].mean(0)).mean()))
    return steps


def test_inside_a_contour_is_what_is_around_it() -> None:
    def median_step(kind: object) -> float:
        scenes = [kind(np.random.default_rng(seed), tiny_bank(), SIZE) for seed in range(60)]  # type: ignore[operator]
        return float(np.median([step for scene in scenes for step in colour_steps(scene)]))

    assert median_step(contours.contours) < 12
    assert median_step(compositions.small_goods) > 30


@pytest.mark.parametrize("kind", [contours.contours, round_objects])
def test_things_do_not_hide_each_other_and_nothing_changes_outside_them(kind: contours.Look) -> None:
    for seed in range(20):
        composition = kind(np.random.default_rng(seed), tiny_bank(), SIZE)  # type: ignore[call-arg, arg-type]
        covered = np.zeros((SIZE, SIZE), np.float32)
        for layer in composition.layers:  # type: ignore[attr-defined]
            below = fills.piece_under(covered[..., None], layer.stamp)[..., 0]
            assert ((below > 0.5) & (layer.stamp.alpha > 0.5)).mean() < 0.1
            np.maximum(below, layer.stamp.alpha, out=below)
        image = paint(composition, (0, 0), 1.0)  # type: ignore[arg-type]
        unchanged = cv2.dilate(covered, np.ones((3, 3))) == 0
        lit = np.asarray(composition.background)  # type: ignore[attr-defined]
        assert (image[unchanged] <= lit[unchanged] + 1e-3).all()  # shadows only darken


def test_compact_shapes_are_in_one_piece_without_holes() -> None:
    for seed in range(60):
        stamp = shapes.compact(np.random.default_rng(seed), SIZE, MIDDLE, RADIUS, softness=0.5)
        inside = stamp.alpha > 0.5
        pieces, _ = cv2.connectedComponents(inside.astype(np.uint8))
        assert pieces == 2
        assert not enclosed_holes(inside, 1.0).any()


def test_a_layer_is_seen_through_one_that_is_painted_later() -> None:
    """What is refracted is what lies behind, layers too, not the background alone."""
    rng = np.random.default_rng(3)
    canvas = np.zeros((SIZE, SIZE, 3), np.float32)
    composition = Composition(canvas.copy())
    below, above = disc(), shapes.draw([np.array([(40, 40), (56, 40), (56, 56), (40, 56)], np.float64)], SIZE)
    composition.layers.append(Layer(below, np.full((*below.alpha.shape, 3), 200, np.float32)))
    seen = contours.frosted(rng, paint(composition, (0, 0), 1.0), above, Relief.of(above, 1.0))
    assert seen.mean() > 150
