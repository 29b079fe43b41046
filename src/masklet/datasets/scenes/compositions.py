"""Scenes drawn from nothing: clutter, small goods on a surface, and objects made of parts."""

from dataclasses import dataclass

import numpy as np

from masklet.datasets.scenes import fills, shapes
from masklet.datasets.scenes.bank import ImageBank
from masklet.datasets.scenes.layers import Composition, FloatArray, Layer, Stamp


def clutter(rng: np.random.Generator, bank: ImageBank, size: int) -> Composition:
    """Shapes of all kinds and sizes over each other, some in nearly the background's colour, some made of parts."""
    background = fills.background_fill(rng, bank, size)
    composition = Composition(background)
    shadow = float(rng.uniform(0.2, 0.7)) if rng.random() < 0.5 else 0.0
    count = int(rng.integers(4, 17))
    radii = np.sort(np.exp(rng.uniform(np.log(0.015), np.log(0.4), count)))[::-1] * size
    for group, radius in enumerate(radii):
        if radius > 0.1 * size and rng.random() < 0.2:
            composition.layers.extend(
                _object_of_parts(rng, bank, size, _Plan(_somewhere(rng, size), radius, group, shadow))
            )
            continue
        stamp = _any_shape(rng, bank, size, _somewhere(rng, size), radius)
        colour = surface(rng, bank, stamp)
        if rng.random() < 0.25:
            colour = _almost_hidden(rng, colour, background, stamp)
        composition.layers.append(Layer(stamp, colour, shadow=shadow))
    return composition


def small_goods(rng: np.random.Generator, bank: ImageBank, size: int) -> Composition:
    """Many like objects (nuts, bolts, pills, coins) of one or two materials on a surface, with shadows."""
    composition = Composition(fills.random_fill(rng, bank, size, size))
    makers = [
        shapes.SMALL_GOODS[index] for index in rng.integers(len(shapes.SMALL_GOODS), size=int(rng.integers(1, 4)))
    ]
    materials = [fills.random_fill(rng, bank, size, size) for _ in range(int(rng.integers(1, 3)))]
    shadow = float(rng.uniform(0.3, 0.8)) if rng.random() < 0.8 else 0.0
    count = int(rng.integers(5, 25))
    for centre in _spread(rng, size, count):
        radius = rng.uniform(0.5, 1.0) * size / (2 * np.sqrt(count)) * rng.choice([0.7, 1.0, 1.2])
        outlines = makers[rng.integers(len(makers))](rng)
        placed = shapes.place(outlines, centre, radius, rng.uniform(0, 2 * np.pi), rng.uniform(0.7, 1))
        stamp = shapes.draw(placed, size, rng.uniform(0.3, 0.8))
        height, width = stamp.alpha.shape
        material = materials[rng.integers(len(materials))]
        colour = fills.piece_of(rng, material, height, width, zoom=rng.uniform(0.7, 1.3))
        colour = fills.shaded(rng, colour + rng.uniform(-25, 25), stamp)
        composition.layers.append(Layer(stamp, colour, shadow=shadow))
    return composition


def parts_and_wholes(rng: np.random.Generator, bank: ImageBank, size: int) -> Composition:
    """Draw a few large objects made of parts of different material; parts and wholes are objects."""
    composition = Composition(fills.background_fill(rng, bank, size))
    shadow = float(rng.uniform(0.2, 0.6)) if rng.random() < 0.4 else 0.0
    for group in range(int(rng.integers(1, 5))):
        radius = rng.uniform(0.15, 0.45) * size
        composition.layers.extend(
            _object_of_parts(rng, bank, size, _Plan(_somewhere(rng, size), radius, group, shadow))
        )
    return composition


def surface(rng: np.random.Generator, bank: ImageBank, stamp: Stamp) -> FloatArray:
    """Draw a random material for a stamp, half of the time lit from one side; float32 [height, width, 3]."""
    colour = fills.random_fill(rng, bank, *stamp.alpha.shape)
    return fills.shaded(rng, colour, stamp) if rng.random() < 0.5 else colour


@dataclass(frozen=True)
class _Plan:
    """The position and lighting of an object of parts."""

    centre: tuple[float, float]
    radius: float
    group: int
    shadow: float


def _object_of_parts(rng: np.random.Generator, bank: ImageBank, size: int, plan: _Plan) -> list[Layer]:
    kind = rng.random()
    if kind < 0.25:
        return _figure(rng, bank, size, plan)
    whole = _any_shape(rng, bank, size, plan.centre, plan.radius)
    divided = kind < 0.6
    parts = shapes.divide(rng, whole, int(rng.integers(2, 5)))[1:] if divided else _insets(rng, size, plan, whole)
    colour = surface(rng, bank, whole)
    layers = [Layer(whole, colour, plan.group, is_object=divided, shadow=plan.shadow)]
    seams = rng.random() < 0.35
    for part in parts:
        if seams:
            layers.extend(_seamed(rng, whole, colour, part, plan.group))
        else:
            layers.append(Layer(part, surface(rng, bank, part), plan.group))
    return layers


def _figure(rng: np.random.Generator, bank: ImageBank, size: int, plan: _Plan) -> list[Layer]:
    """Body, limbs and head; where they are of one material nothing shows where a part ends: only the whole is asked."""
    stamps = shapes.draw_articulated(rng, size, plan.centre, plan.radius)
    if rng.random() < 0.5:
        skin = fills.random_fill(rng, bank, size, size)
        colours = [fills.piece_under(skin, stamp) for stamp in stamps]
        return [
            Layer(stamp, colour, plan.group, is_object=False, shadow=plan.shadow)
            for stamp, colour in zip(stamps, colours, strict=True)
        ]
    return [Layer(stamp, surface(rng, bank, stamp), plan.group, shadow=plan.shadow) for stamp in stamps]


def _seamed(rng: np.random.Generator, whole: Stamp, colour: FloatArray, part: Stamp, group: int) -> list[Layer]:
    """Draw a part of the whole's own material behind a dark or light line: doors, panels, lids."""
    step = float(rng.choice([-1, 1]) * rng.uniform(25, 90))
    line = shapes.inset(whole, shapes.rim(part, int(rng.integers(1, 3))))
    inside = _window(colour, whole, part) + rng.uniform(-12, 12)
    return [
        Layer(line, _window(colour, whole, line) + step, group, is_object=False),
        Layer(part, inside.astype(np.float32), group),
    ]


def _window(colour: FloatArray, whole: Stamp, part: Stamp) -> FloatArray:
    """Return the whole's colours where the part lies, continued beyond the whole's box."""
    rows = np.clip(np.arange(part.alpha.shape[0]) + part.top - whole.top, 0, colour.shape[0] - 1)
    columns = np.clip(np.arange(part.alpha.shape[1]) + part.left - whole.left, 0, colour.shape[1] - 1)
    return colour[np.ix_(rows, columns)]


def _insets(rng: np.random.Generator, size: int, plan: _Plan, whole: Stamp) -> list[Stamp]:
    """Windows, doors, lights, wheels: small shapes on the whole, often several alike."""
    maker = (shapes.superellipse, shapes.superellipse, shapes.blob, shapes.polygon, shapes.ring)[rng.integers(5)]
    outlines, angle = maker(rng), rng.uniform(0, 2 * np.pi)
    stamps = []
    for _ in range(int(rng.integers(1, 5))):
        if rng.random() < 0.4:
            outlines, angle = maker(rng), rng.uniform(0, 2 * np.pi)
        distance, direction = rng.uniform(0, 0.7) * plan.radius, rng.uniform(0, 2 * np.pi)
        x, y = plan.centre[0] + distance * np.cos(direction), plan.centre[1] + distance * np.sin(direction)
        placed = shapes.place(outlines, (x, y), rng.uniform(0.12, 0.4) * plan.radius, angle)
        stamps.append(shapes.inset(whole, shapes.draw(placed, size, 0.5)))
    return stamps


def _any_shape(
    rng: np.random.Generator, bank: ImageBank, size: int, centre: tuple[float, float], radius: float
) -> Stamp:
    if bank.has_objects and rng.random() < 0.3:
        cutout = bank.any_object(rng)
        return shapes.silhouette(cutout, rng, size, centre, 2 * radius)
    outlines = shapes.SHAPES[rng.integers(len(shapes.SHAPES))](rng)
    placed = shapes.place(outlines, centre, radius, rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 1))
    return shapes.draw(placed, size, softness=rng.uniform(0.3, 1.0))


def _almost_hidden(rng: np.random.Generator, colour: FloatArray, background: FloatArray, stamp: Stamp) -> FloatArray:
    near = fills.colour_under(background, stamp) + rng.normal(0, 12, 3)
    return fills.with_mean(colour, near.astype(np.float32), contrast=rng.uniform(0.2, 0.6))


def _somewhere(rng: np.random.Generator, size: int) -> tuple[float, float]:
    return rng.uniform(0.05, 0.95) * size, rng.uniform(0.05, 0.95) * size


def _spread(rng: np.random.Generator, size: int, count: int) -> list[tuple[float, float]]:
    """Draw points in the squares of a grid in random order, or now and then a pile."""
    if rng.random() < 0.15:
        return [(float(x), float(y)) for x, y in rng.normal(0.5, 0.18, (count, 2)) * size]
    side = int(np.ceil(np.sqrt(count)))
    cells = rng.permutation(side * side)[:count]
    moved = np.stack([cells % side, cells // side], axis=1) + rng.uniform(0.2, 0.8, (count, 2))
    return [(float(x), float(y)) for x, y in moved * size / side]
