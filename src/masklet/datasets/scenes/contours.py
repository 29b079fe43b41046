"""Scenes whose objects show by their contour alone: inside is what is outside, or seen through it."""

from collections.abc import Callable

import cv2
import numpy as np

from masklet.datasets.scenes import fills, shapes
from masklet.datasets.scenes.bank import ImageBank
from masklet.datasets.scenes.layers import Composition, FloatArray, Layer, Stamp, paint_over
from masklet.datasets.scenes.relief import Relief

Look = Callable[[np.random.Generator, FloatArray, Stamp, Relief], FloatArray]
"""The colours [height, width, 3] of a stamp over a canvas [size, size, 3]."""

MOST_THINGS = 9
RIM = 3.0  # pixels
FAINTEST = 6.0  # of 255 levels


def contours(rng: np.random.Generator, bank: ImageBank, size: int) -> Composition:
    """Draw closed outlines over a surface that continues inside them: drawn, embossed, of glass, frosted."""
    composition = Composition(fills.quiet_background(rng, bank, size))
    canvas = composition.background.copy()
    looks = [LOOKS[index] for index in rng.integers(len(LOOKS), size=int(rng.integers(1, 3)))]
    shadow = float(rng.uniform(0.05, 0.35)) if rng.random() < 0.25 else 0.0
    for centre, radius in shapes.apart(rng, size, int(rng.integers(2, MOST_THINGS + 1))):
        stamp = shapes.compact(rng, size, centre, radius, softness=rng.uniform(0.3, 1.0))
        relief = Relief.of(stamp, rng.uniform(0.15, 1))
        colour = looks[rng.integers(len(looks))](rng, canvas, stamp, relief)
        if not shows(colour - fills.piece_under(canvas, stamp), stamp, relief):  # glass before a plain wall
            colour = drawn(rng, canvas, stamp, relief)
        composition.layers.append(Layer(stamp, colour, shadow=shadow))
        paint_over(canvas, composition.layers[-1])
    return composition


def shows(difference: FloatArray, stamp: Stamp, relief: Relief) -> bool:
    """Return whether a rim with this difference [height, width, 3] from the background is visible: 6 of 255 levels."""
    rim = (stamp.alpha > 0.5) & (relief.distance <= RIM)
    return bool(rim.any()) and float(np.abs(difference[rim]).mean()) >= FAINTEST


def drawn(rng: np.random.Generator, canvas: FloatArray, stamp: Stamp, relief: Relief) -> FloatArray:
    """Draw a line along the outline, dark, light or coloured, at times faint or broken."""
    behind = fills.piece_under(canvas, stamp)
    line = fills.random_colour(rng) if rng.random() < 0.4 else behind.mean((0, 1)) + _step(rng, 25, 120)
    width = np.exp(rng.uniform(np.log(1), np.log(max(1.5, 0.12 * relief.radius + 1.5))))
    cover = np.clip(width + 0.5 - relief.distance, 0, 1)[..., None] * rng.uniform(0.5, 1)
    if rng.random() < 0.4:
        rows, columns = stamp.alpha.shape
        cover = cover * np.clip(0.7 + 0.5 * fills.smooth_noise(rng, rows, columns, cells=8), 0, 1)
    return np.asarray(_veiled(rng, behind) * (1 - cover) + line * cover, np.float32)


def pressed(rng: np.random.Generator, canvas: FloatArray, stamp: Stamp, relief: Relief) -> FloatArray:
    """Draw the surface itself, raised or embossed: light on one flank, shade on the other, or a dark or light rim."""
    behind = _veiled(rng, fills.piece_under(canvas, stamp))
    rim = relief.near_outline(rng.uniform(0.05, 0.5) * relief.radius)
    if rng.random() < 0.6:
        rim = rim * relief.lit(rng.uniform(0, 2 * np.pi), height=0.0)
    return np.asarray(behind * (1 + _step(rng, 0.1, 0.6) * rim) + _step(rng, 0, 25) * rim, np.float32)


def refracting(rng: np.random.Generator, canvas: FloatArray, stamp: Stamp, relief: Relief) -> FloatArray:
    """Clear glass or a drop: what is behind, shifted near the rim, with a rim and a highlight at times."""
    seen = relief.refracted(canvas, stamp, strength=_step(rng, 0.2, 1.6))
    if rng.random() < 0.6:
        seen = seen * (1 + _step(rng, 0.1, 0.5) * (1 - relief.facing[..., None]) ** rng.uniform(1, 4))
    if rng.random() < 0.5:
        shine = relief.shine(rng.uniform(0, 2 * np.pi), rng.uniform(0.3, 1.3), sharpness=rng.uniform(20, 200))
        seen = seen + (255 - seen) * shine * rng.uniform(0.3, 1)
    return np.asarray(_veiled(rng, seen), np.float32)


def frosted(rng: np.random.Generator, canvas: FloatArray, stamp: Stamp, relief: Relief) -> FloatArray:
    """Draw the background out of focus, a little darker or lighter, with a thin rim half of the time."""
    blur = rng.uniform(1, 5) * max(1.0, canvas.shape[0] / 256)
    blurred = np.asarray(cv2.GaussianBlur(canvas, (0, 0), blur), np.float32)
    seen = fills.piece_under(blurred, stamp) + _step(rng, 2, 20)
    rim = relief.near_outline(rng.uniform(0.5, 2)) if rng.random() < 0.5 else np.float32(0)
    return np.asarray(seen + _step(rng, 10, 60) * rim, np.float32)


def of_the_same(rng: np.random.Generator, canvas: FloatArray, stamp: Stamp, relief: Relief) -> FloatArray:
    """Another piece of what is around, so that texture and colour are the same and break off at the outline."""
    del relief
    height, width = stamp.alpha.shape
    colour = fills.piece_of(rng, canvas, height, width, zoom=rng.uniform(0.8, 1.25))
    near = fills.colour_under(canvas, stamp) + rng.normal(0, 6, 3).astype(np.float32)
    return fills.shaded(rng, fills.with_mean(colour, near), stamp)


LOOKS: tuple[Look, ...] = (drawn, pressed, pressed, refracting, refracting, frosted, of_the_same)


def _veiled(rng: np.random.Generator, seen: FloatArray) -> FloatArray:
    """As it is, or with a touch of another colour."""
    if rng.random() < 0.5:
        return seen
    return np.asarray(seen + rng.uniform(0.02, 0.25) * (fills.random_colour(rng) - seen), np.float32)


def _step(rng: np.random.Generator, least: float, most: float) -> float:
    """Draw a number of that size, of either sign."""
    return float(rng.choice([-1, 1]) * rng.uniform(least, most))
