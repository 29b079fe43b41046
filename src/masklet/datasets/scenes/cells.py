"""Scenes like micrographs: glowing nuclei on black, stained tissue, grey bright-field cells."""

import cv2
import numpy as np

from masklet.datasets.scenes import shapes
from masklet.datasets.scenes.bank import ImageBank
from masklet.datasets.scenes.fills import Colour, smooth_noise
from masklet.datasets.scenes.layers import Composition, FloatArray, Layer, Stamp, paint


def fluorescence(rng: np.random.Generator, bank: ImageBank, size: int) -> Composition:
    """Bright blobs of uneven brightness on a dark ground."""
    del bank
    tint = np.ones(3, np.float32) if rng.random() < 0.7 else rng.uniform(0.2, 1, 3).astype(np.float32)
    tint /= tint.max()
    floor = rng.uniform(2, 30)
    background = np.maximum(floor + 0.3 * floor * smooth_noise(rng, size, size, 5), 0) * tint
    composition = Composition(background.astype(np.float32))
    brightness = rng.uniform(70, 240)
    for stamp in nuclei(rng, size):
        peak = brightness * rng.uniform(0.45, 1.1)
        colour = np.broadcast_to(peak * tint, (*stamp.alpha.shape, 3))
        composition.layers.append(Layer(stamp, _mottled(rng, colour, stamp, rng.uniform(0.03, 0.2), edge=0.35)))
    if rng.random() < 0.4:
        composition.background += _glow(rng, composition)
    return composition


def stained_tissue(rng: np.random.Generator, bank: ImageBank, size: int) -> Composition:
    """Purple nuclei in pink tissue with pale gaps (haematoxylin and eosin)."""
    del bank
    pink = np.array([rng.uniform(190, 240), rng.uniform(130, 190), rng.uniform(180, 225)], np.float32)
    pale = np.array([238, 230, 238], np.float32)
    share = np.clip(0.35 * smooth_noise(rng, size, size, int(rng.integers(5, 20))) + rng.uniform(0, 0.5), 0, 1)
    fibres = rng.uniform(4, 12) * _fibres(rng, size) + rng.uniform(2, 8) * smooth_noise(rng, size, size, size // 5)
    composition = Composition((pink + (pale - pink) * share + fibres).astype(np.float32))
    purple = np.array([rng.uniform(80, 140), rng.uniform(50, 100), rng.uniform(120, 180)], np.float32)
    for stamp in nuclei(rng, size):
        mean = purple + rng.normal(0, 14, 3).astype(np.float32)
        colour = np.broadcast_to(mean, (*stamp.alpha.shape, 3))
        composition.layers.append(Layer(stamp, _mottled(rng, colour, stamp, rng.uniform(0.05, 0.25), edge=-0.25)))
    return composition


def bright_field(rng: np.random.Generator, bank: ImageBank, size: int) -> Composition:
    """Grey cells on a grey ground, darker or lighter, with a distinct rim."""
    del bank
    level = rng.uniform(110, 215)
    ground = (
        level + rng.uniform(2, 10) * smooth_noise(rng, size, size, 6) + 4 * smooth_noise(rng, size, size, size // 5)
    )
    composition = Composition(np.broadcast_to(ground, (size, size, 3)).astype(np.float32))
    step, edge = rng.choice([-1, 1]) * rng.uniform(8, 60), rng.choice([-1, 1]) * rng.uniform(0.15, 0.5)
    for stamp in nuclei(rng, size):
        colour: Colour = np.full((*stamp.alpha.shape, 3), level + step * rng.uniform(0.6, 1.2), np.float32)
        composition.layers.append(Layer(stamp, _mottled(rng, colour, stamp, rng.uniform(0.03, 0.2), edge)))
    return composition


MICROGRAPHS = (fluorescence, stained_tissue, bright_field)


def micrograph(rng: np.random.Generator, bank: ImageBank, size: int) -> Composition:
    """Any of the three kinds."""
    return MICROGRAPHS[rng.choice(3, p=(0.5, 0.35, 0.15))](rng, bank, size)


def nuclei(rng: np.random.Generator, size: int) -> list[Stamp]:
    """3 to 60 roundish stamps of like size, 5 to 45 pixels across in a 256 pixel scene, partly in touching clusters."""
    radius = np.exp(rng.uniform(np.log(4), np.log(22))) * (size / 256 if rng.random() < 0.5 else 1)
    fitting = int(rng.uniform(0.05, 0.6) * size * size / (np.pi * radius * radius))
    centres: list[tuple[float, float]] = []
    radii: list[float] = []
    spacing = rng.uniform(0.75, 1.2)
    clustering = rng.uniform(0, 0.8)
    for _ in range(4 * int(np.clip(fitting, 3, 60))):
        own = float(radius * np.clip(rng.normal(1, 0.25), 0.5, 1.7))
        centre = _beside(rng, centres, radii, own) if centres and rng.random() < clustering else _anywhere(rng, size)
        gaps = [
            np.hypot(centre[0] - x, centre[1] - y) - spacing * (own + r)
            for (x, y), r in zip(centres, radii, strict=True)
        ]
        if not gaps or min(gaps) > -1e-6:
            centres.append(centre)
            radii.append(own)
        if len(centres) >= np.clip(fitting, 3, 60):
            break
    roughness, softness = rng.uniform(0.05, 0.25), rng.uniform(0.4, 1.1)
    stamps = []
    for centre, own in zip(centres, radii, strict=True):
        outline = [shapes.fourier_outline(rng, roughness, 3, points=32)]
        placed = shapes.place(outline, centre, own, rng.uniform(0, 2 * np.pi), rng.uniform(0.6, 1))
        stamps.append(shapes.draw(placed, size, softness))
    return stamps


def _glow(rng: np.random.Generator, composition: Composition) -> FloatArray:
    """Light of the nuclei scattered over their surroundings."""
    blank = Composition(np.zeros_like(composition.background), layers=composition.layers)
    light = cv2.GaussianBlur(
        paint(blank, (0, 0), 1.0), (0, 0), composition.background.shape[0] * rng.uniform(0.01, 0.05)
    )
    return np.asarray(rng.uniform(0.1, 0.6) * light, np.float32)


def _fibres(rng: np.random.Generator, size: int) -> FloatArray:
    """Wavy strands of deviation about 1 along one direction, float32 [size, size, 1]."""
    angle, waves = rng.uniform(0, 2 * np.pi), rng.uniform(6, 30)
    y, x = np.mgrid[:size, :size].astype(np.float32) / np.float32(size)
    bend = 0.08 * smooth_noise(rng, size, size, 5)[..., 0]
    strands = np.sin(2 * np.pi * waves * (x * np.cos(angle) + y * np.sin(angle) + bend))
    return np.asarray((strands * smooth_noise(rng, size, size, 8)[..., 0])[..., None], np.float32)


def _anywhere(rng: np.random.Generator, size: int) -> tuple[float, float]:
    return float(rng.uniform(0, size)), float(rng.uniform(0, size))


def _beside(
    rng: np.random.Generator, centres: list[tuple[float, float]], radii: list[float], radius: float
) -> tuple[float, float]:
    """Touching an earlier nucleus."""
    index, angle = int(rng.integers(len(centres))), rng.uniform(0, 2 * np.pi)
    distance = (radii[index] + radius) * rng.uniform(0.9, 1.2)
    return centres[index][0] + distance * np.cos(angle), centres[index][1] + distance * np.sin(angle)


def _mottled(rng: np.random.Generator, colour: FloatArray, stamp: Stamp, amount: float, edge: float) -> FloatArray:
    """Blotches of relative strength `amount`; `edge` in -1..1 darkens (above 0) or lightens the rim."""
    height, width = stamp.alpha.shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    rim = np.clip(x * x + y * y, 0, 1)[..., None] ** 2
    blotches = amount * smooth_noise(rng, height, width, int(rng.integers(3, 7)))
    return np.asarray(colour * np.clip(1 + blotches - edge * rim, 0.05, 2), np.float32)
