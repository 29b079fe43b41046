"""Scenes of round bodies in soft light: shaded, shining, half transparent, out of focus, with objects inside."""

from dataclasses import dataclass

import cv2
import numpy as np

from masklet.datasets.scenes import fills, shapes
from masklet.datasets.scenes.bank import ImageBank
from masklet.datasets.scenes.layers import Composition, FloatArray, Layer, Stamp, paint_over
from masklet.datasets.scenes.relief import Relief

MOST_THINGS = 10


def round_objects(rng: np.random.Generator, bank: ImageBank, size: int) -> Composition:
    """Round bodies of one or two sorts under the same lights: fruit, balls, drops, bubbles, buttons, eggs."""
    composition = Composition(fills.quiet_background(rng, bank, size))
    canvas = composition.background.copy()
    lights = [(rng.uniform(0, 2 * np.pi), rng.uniform(0.3, 1.4)) for _ in range(int(rng.integers(1, 4)))]
    materials = [_Material.any(rng) for _ in range(int(rng.integers(1, 3)))]
    shadow = float(rng.uniform(0.1, 0.6)) if rng.random() < 0.5 else 0.0
    focus = rng.uniform(0.5, 6) if rng.random() < 0.25 else 0.6  # pixels of 256: how soft the edges are
    for centre, radius in shapes.apart(rng, size, int(rng.integers(2, MOST_THINGS + 1))):
        softness = max(0.3, min(rng.uniform(0.3, 1) * focus * size / 256, 0.2 * radius))
        stamp = shapes.compact(rng, size, centre, radius, softness)
        material = materials[rng.integers(len(materials))]
        colour = material.seen(rng, bank, canvas, stamp, lights)
        if softness > 1:
            colour = np.asarray(cv2.GaussianBlur(colour, (0, 0), softness), np.float32)
        composition.layers.append(Layer(stamp, colour, shadow=shadow * (1 - 0.7 * material.clearness)))
        paint_over(canvas, composition.layers[-1])
    return composition


@dataclass(frozen=True)
class _Material:
    """The common properties of the bodies of one sort.

    Attributes:
        roundness: see `Relief.of`.
        clearness: how much is seen through the middle, 0..1.
        bending: how far what is seen through is shifted at the rim, in radii.
        is_like_behind: whether its colour is nearly that of what is behind it.
        contrast: of light and shade, 0..1.
        rim: how much lighter, below 0 darker, it is where it turns away.
        shine: strength of the highlights, 0..1.
        sharpness: of the highlights: 5 is satin, 200 is glass.
        inner_things: how many spots are seen in it.
    """

    roundness: float
    clearness: float
    bending: float
    is_like_behind: bool
    contrast: float
    rim: float
    shine: float
    sharpness: float
    inner_things: int

    @classmethod
    def any(cls, rng: np.random.Generator) -> "_Material":
        return cls(
            roundness=rng.uniform(0.3, 1),
            clearness=rng.uniform(0.2, 0.95) if rng.random() < 0.5 else 0.0,
            bending=rng.uniform(-1.5, 1.5),
            is_like_behind=rng.random() < 0.35,
            contrast=rng.uniform(0.1, 0.7),
            rim=rng.uniform(-0.6, 0.6) if rng.random() < 0.5 else 0.0,
            shine=rng.uniform(0.2, 1) if rng.random() < 0.6 else 0.0,
            sharpness=float(np.exp(rng.uniform(np.log(5), np.log(200)))),
            inner_things=int(rng.integers(1, 7)) if rng.random() < 0.35 else 0,
        )

    def seen(
        self,
        rng: np.random.Generator,
        bank: ImageBank,
        canvas: FloatArray,
        stamp: Stamp,
        lights: list[tuple[float, float]],
    ) -> FloatArray:
        """Draw the colours of a body over a canvas, float32 [height, width, 3]; `lights` are angles and elevations."""
        relief = Relief.of(stamp, self.roundness)
        colour = self._body(rng, bank, canvas, stamp)
        away = 1 - relief.facing[..., None]  # where it turns from the viewer, which light has a longer way through
        if self.clearness:
            through = self.clearness * (1 - away**2)
            colour = colour + through * (relief.refracted(canvas, stamp, self.bending) - colour)
        light = sum(relief.lit(*each) for each in lights) / len(lights)
        colour = colour * (1 + self.contrast * (light - 0.5)) * (1 + self.rim * away**2)
        for each in lights if self.shine else ():
            colour = colour + self.shine * (255 - colour) * relief.shine(*each, self.sharpness)
        return np.asarray(np.clip(colour, 0, 255), np.float32)

    def _body(self, rng: np.random.Generator, bank: ImageBank, canvas: FloatArray, stamp: Stamp) -> FloatArray:
        """Its own colours, with what is in it."""
        shape = stamp.alpha.shape
        colour = fills.flat_fill(rng, bank, *shape) if rng.random() < 0.5 else fills.random_fill(rng, bank, *shape)
        if self.is_like_behind:
            near = fills.colour_under(canvas, stamp) + rng.normal(0, 12, 3).astype(np.float32)
            colour = fills.with_mean(colour, near, contrast=rng.uniform(0.1, 0.6))
        for _ in range(self.inner_things):
            colour = _with_spot(rng, colour)
        return np.asarray(colour, np.float32)


def _with_spot(rng: np.random.Generator, colour: FloatArray) -> FloatArray:
    """Draw a soft lighter or darker spot anywhere: nuclei, pips, labels, openings."""
    height, width = colour.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    left, top = rng.uniform(-0.6, 0.6, 2)
    radius, softness = rng.uniform(0.1, 0.5), rng.uniform(0.05, 0.4)
    distance = np.hypot(x - left, (y - top) * rng.uniform(0.7, 1.4))
    cover = np.clip((radius - distance) / (softness * radius) + 0.5, 0, 1)[..., None] * rng.uniform(0.2, 0.9)
    return np.asarray(colour + cover * (rng.choice([-1, 1]) * rng.uniform(15, 90)), np.float32)
