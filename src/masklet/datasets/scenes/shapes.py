"""Soft shapes: outlines from random numbers, drawn at twice the resolution and averaged down."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet.datasets.scenes.cutouts import Cutout
from masklet.datasets.scenes.layers import FloatArray, Stamp

Points = NDArray[np.float64]  # [points, 2] as (x, y) in pixels, or in units of the shape's radius
Outlines = list[Points]  # even-odd: an outline inside another is a hole
ShapeMaker = Callable[[np.random.Generator], Outlines]

SUPERSAMPLING = 2
FRACTION_BITS = 4
PLACES_TRIED = 6


def blob(rng: np.random.Generator) -> Outlines:
    """Draw a smooth closed curve: a circle whose radius is a random Fourier series."""
    roughness = rng.uniform(0.05, 0.45)
    return [fourier_outline(rng, roughness, harmonics=int(rng.integers(3, 8)))]


def fourier_outline(rng: np.random.Generator, roughness: float, harmonics: int, points: int = 64) -> Points:
    """[points, 2] on a curve about the origin, mean radius about 1; harmonics fall off as 1 / order."""
    angles = np.linspace(0, 2 * np.pi, points, endpoint=False)
    orders = np.arange(2, 2 + harmonics)
    amplitudes = rng.normal(0, roughness, harmonics) / orders
    phases = rng.uniform(0, 2 * np.pi, harmonics)
    radii = 1 + (amplitudes[:, None] * np.cos(orders[:, None] * angles + phases[:, None])).sum(axis=0)
    return np.asarray(np.maximum(radii, 0.15)[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1))


def polygon(rng: np.random.Generator) -> Outlines:
    """Draw a star-shaped polygon of 3 to 9 corners at uneven angles and radii."""
    corners = int(rng.integers(3, 10))
    angles = (np.arange(corners) + rng.uniform(-0.35, 0.35, corners)) * 2 * np.pi / corners
    radii = rng.uniform(rng.uniform(0.35, 0.9), 1, corners)
    return [radii[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)]


def superellipse(rng: np.random.Generator) -> Outlines:
    """From an ellipse to a rounded rectangle, of any aspect up to 1 : 5."""
    power = 2 / rng.choice([2.0, 2.0, 3.0, 6.0, 14.0])
    angles = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    cosines, sines = np.cos(angles), np.sin(angles)
    aspect = rng.uniform(0.2, 1)
    x = np.sign(cosines) * np.abs(cosines) ** power
    y = np.sign(sines) * np.abs(sines) ** power
    return [np.stack([x, aspect * y], axis=1)]


def ring(rng: np.random.Generator) -> Outlines:
    """Draw a shape with one hole: washer, tyre, frame."""
    outer = superellipse(rng)[0] if rng.random() < 0.6 else blob(rng)[0]
    return [outer, outer * rng.uniform(0.35, 0.85)]


def perforated(rng: np.random.Generator) -> Outlines:
    """Draw a blob with two to four small holes."""
    outer = fourier_outline(rng, 0.1, 3)
    holes = int(rng.integers(2, 5))
    angles = (np.arange(holes) + rng.uniform(0, 0.3)) * 2 * np.pi / holes
    hole = fourier_outline(rng, 0.1, 3) * rng.uniform(0.12, 0.22)
    return [outer] + [hole + 0.5 * np.array([np.cos(angle), np.sin(angle)]) for angle in angles]


def nut(rng: np.random.Generator) -> Outlines:
    """Draw a hexagon with a round hole, foreshortened."""
    hexagon = np.array([[np.cos(angle), np.sin(angle)] for angle in np.arange(6) * np.pi / 3])
    circle = fourier_outline(rng, 0.0, 1) * rng.uniform(0.4, 0.65)
    return [outline * np.array([1.0, rng.uniform(0.7, 1)]) for outline in (hexagon, circle)]


def bolt(rng: np.random.Generator) -> Outlines:
    """Draw a wide head on a long shaft; also screws, nails, mushrooms and bottles."""
    head, shaft = rng.uniform(0.15, 0.6), rng.uniform(0.08, 0.3)
    neck = rng.uniform(-0.85, -0.2)
    right = [(0.0, -1.0), (head, -1.0 + 0.1 * rng.random()), (head, neck), (shaft, neck), (shaft, 0.9), (0.0, 1.0)]
    return [np.array(right + [(-x, y) for x, y in right[-2:0:-1]])]


def tube(rng: np.random.Generator) -> Outlines:
    """Draw a thin bent band of changing width: wires, sticks, tails, handles."""
    centre = _walk(rng, steps=4, bend=rng.uniform(0.1, 1.0))
    return [_band(centre, rng.uniform(0.03, 0.18), rng.uniform(0.03, 0.18))]


def gear(rng: np.random.Generator) -> Outlines:
    """Draw a wheel of teeth or petals, with a hole half of the time."""
    angles = np.linspace(0, 2 * np.pi, 160, endpoint=False)
    wave = np.cos(int(rng.integers(4, 14)) * angles)
    sharpness = rng.uniform(1, 6)
    radii = 1 - rng.uniform(0.08, 0.4) * (0.5 - 0.5 * np.tanh(sharpness * wave))
    outer = radii[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return [outer] if rng.random() < 0.5 else [outer, fourier_outline(rng, 0.0, 1) * rng.uniform(0.15, 0.5)]


SHAPES: tuple[ShapeMaker, ...] = (
    blob,
    blob,
    polygon,
    superellipse,
    superellipse,
    ring,
    perforated,
    nut,
    bolt,
    tube,
    gear,
)
SMALL_GOODS: tuple[ShapeMaker, ...] = (nut, nut, bolt, bolt, ring, superellipse, gear, blob, polygon)


def place(
    outlines: Outlines, centre: tuple[float, float], radius: float, angle: float, aspect: float = 1.0
) -> Outlines:
    """Outlines in units of the radius, squeezed, turned and moved to `centre` (x, y) in pixels."""
    cosine, sine = np.cos(angle), np.sin(angle)
    turn = np.array([[cosine, sine], [-sine, cosine]]) * radius
    return [outline * np.array([1.0, aspect]) @ turn + np.array(centre) for outline in outlines]


def draw(outlines: Outlines, size: int, softness: float = 0.0) -> Stamp:
    """Return the area inside the outlines as a stamp clipped to the canvas; `softness` blurs its edge (pixels)."""
    top, left, height, width = _box(np.concatenate(outlines), size)
    fine = np.zeros((height * SUPERSAMPLING, width * SUPERSAMPLING), np.uint8)
    scale = SUPERSAMPLING * 2**FRACTION_BITS
    # OpenCV's coordinates count from the middle of the first pixel, ours from its corner.
    corners = [
        np.round((outline - [left, top]) * scale - 2 ** (FRACTION_BITS - 1)).astype(np.int32) for outline in outlines
    ]
    cv2.fillPoly(fine, corners, 255, cv2.LINE_8, FRACTION_BITS)
    alpha = np.asarray(cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA) / np.float32(255), np.float32)
    if softness > 0:
        alpha = np.asarray(cv2.GaussianBlur(alpha, (0, 0), softness), np.float32)
    return Stamp(top, left, alpha)


def apart(rng: np.random.Generator, size: int, count: int) -> list[tuple[tuple[float, float], float]]:
    """Draw up to `count` centers (x, y) and radii in pixels, the largest first, which at most touch."""
    radii = np.sort(np.exp(rng.uniform(np.log(0.03), np.log(0.42), count)))[::-1] * size
    spacing = rng.uniform(0.9, 1.3)
    placed: list[tuple[tuple[float, float], float]] = []
    for radius in radii.tolist():
        for x, y in rng.uniform(0, size, (PLACES_TRIED, 2)).tolist():
            if all(np.hypot(x - left, y - top) >= spacing * (radius + other) for (left, top), other in placed):
                placed.append(((x, y), radius))
                break
    return placed


def compact(rng: np.random.Generator, size: int, centre: tuple[float, float], radius: float, softness: float) -> Stamp:
    """Draw a stamp without holes or thin parts: round, roundish, a rounded box or with a few corners."""
    kind = rng.random()
    if kind < 0.35:
        outline = fourier_outline(rng, 0.0, 1)
    elif kind < 0.7:
        outline = fourier_outline(rng, rng.uniform(0.05, 0.3), int(rng.integers(2, 6)))
    elif kind < 0.9:
        outline = superellipse(rng)[0]
    else:
        outline = polygon(rng)[0]
    placed = place([outline], centre, radius, rng.uniform(0, 2 * np.pi), rng.uniform(0.6, 1))
    return draw(placed, size, softness)


def draw_articulated(rng: np.random.Generator, size: int, centre: tuple[float, float], radius: float) -> list[Stamp]:
    """Draw a body with limbs and a head, each its own stamp; limbs first (they lie behind the body)."""
    body = fourier_outline(rng, 0.15, 4) * np.array([rng.uniform(0.25, 0.45), rng.uniform(0.4, 0.6)])
    pieces: list[Outlines] = []
    for start_angle in np.linspace(0.3, 2 * np.pi - 0.3, int(rng.integers(3, 6))) + rng.uniform(-0.3, 0.3):
        limb = _walk(rng, steps=3, bend=0.5, start_angle=start_angle) * 0.5
        start = 0.3 * np.array([np.cos(start_angle), np.sin(start_angle)])
        pieces.append([_band(limb - limb[0] + start, rng.uniform(0.06, 0.14), rng.uniform(0.03, 0.09))])
    head = fourier_outline(rng, 0.1, 3) * rng.uniform(0.15, 0.28) + np.array([0.0, -0.65])
    angle, softness = rng.uniform(-0.6, 0.6), rng.uniform(0.3, 0.8)
    return [draw(place(piece, centre, radius, angle), size, softness) for piece in [*pieces, [body], [head]]]


def silhouette(
    cutout: Cutout, rng: np.random.Generator, size: int, centre: tuple[float, float], extent: float
) -> Stamp:
    """Return the outline of a real object, `extent` pixels at its longest side, turned and perhaps mirrored."""
    return warp_cutout(cutout, size, centre, random_turn(rng, extent / max(cutout.mask.shape), np.pi))[1]


def random_turn(rng: np.random.Generator, scale: float, max_angle: float) -> Points:
    """Draw a 2 x 2 matrix that scales, rotates by up to `max_angle` (radians), and mirrors half of the time."""
    angle, mirror = rng.uniform(-max_angle, max_angle), -1.0 if rng.random() < 0.5 else 1.0
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.asarray(scale * turn * [mirror, 1.0])


def warp_cutout(cutout: Cutout, size: int, centre: tuple[float, float], turn: Points) -> tuple[FloatArray, Stamp]:
    """Draw a real object, turned about its middle: its colours float32 [height, width, 3] and its soft shape."""
    height, width = cutout.mask.shape
    scale = float(np.sqrt(abs(np.linalg.det(turn))))
    corners = np.array([[x, y] for x in (0, width) for y in (0, height)], np.float64) - [width / 2, height / 2]
    top, left, rows, columns = _box(corners @ turn.T + np.array(centre), size)
    matrix = np.column_stack([turn, np.array(centre) - [left, top] - turn @ [width / 2, height / 2]])
    image = cv2.GaussianBlur(cutout.image, (0, 0), 0.4 / scale) if scale < 0.5 else cutout.image
    mask = cv2.GaussianBlur(cutout.mask, (0, 0), max(0.8, 0.4 / scale))
    colour = cv2.warpAffine(image, matrix, (columns, rows), borderMode=cv2.BORDER_REPLICATE)
    alpha = cv2.warpAffine(mask, matrix, (columns, rows), borderMode=cv2.BORDER_CONSTANT).astype(np.float32) / 255
    # A little inside the labelled outline, so that no rim of the old surroundings comes along.
    alpha = np.clip((alpha - 0.5) * 1.6 + 0.35, 0, 1)
    return colour.astype(np.float32), Stamp(top, left, alpha.astype(np.float32))


def divide(rng: np.random.Generator, stamp: Stamp, parts: int) -> list[Stamp]:
    """Divide a stamp into `parts` stamps that cover it when painted in order.

    The first is the stamp itself, each next one the piece of it beyond a wavy cut.
    """
    height, width = stamp.alpha.shape
    angle, extent = rng.uniform(0, 2 * np.pi), 0.5 * float(np.hypot(height, width))
    y, x = np.mgrid[:height, :width].astype(np.float32)
    along = (x - width / 2) * np.cos(angle) + (y - height / 2) * np.sin(angle)
    across = (y - height / 2) * np.cos(angle) - (x - width / 2) * np.sin(angle)
    along = along + rng.uniform(0, 0.12) * extent * np.sin(across / extent * rng.uniform(1, 6) + rng.uniform(0, 6))
    covered = along[stamp.alpha > 0.5]
    if covered.size == 0:
        return [stamp]
    shares = (np.arange(1, parts) + rng.uniform(-0.3, 0.3, parts - 1)) / parts
    cuts = np.quantile(covered, shares)
    beyond = [np.clip(along - cut + 0.5, 0, 1).astype(np.float32) for cut in cuts]
    return [stamp] + [Stamp(stamp.top, stamp.left, stamp.alpha * weight) for weight in beyond]


def inset(stamp: Stamp, piece: Stamp) -> Stamp:
    """Return the piece as far as it lies within the stamp."""
    alpha = np.zeros_like(piece.alpha)
    top, left = max(stamp.top, piece.top), max(stamp.left, piece.left)
    bottom = min(stamp.top + stamp.alpha.shape[0], piece.top + piece.alpha.shape[0])
    right = min(stamp.left + stamp.alpha.shape[1], piece.left + piece.alpha.shape[1])
    if bottom > top and right > left:
        here = (slice(top - piece.top, bottom - piece.top), slice(left - piece.left, right - piece.left))
        there = (slice(top - stamp.top, bottom - stamp.top), slice(left - stamp.left, right - stamp.left))
        alpha[here] = piece.alpha[here] * stamp.alpha[there]
    return Stamp(piece.top, piece.left, alpha)


def rim(stamp: Stamp, width: int) -> Stamp:
    """Return the stamp grown by `width` pixels on every side."""
    wider = cv2.copyMakeBorder(stamp.alpha, width, width, width, width, cv2.BORDER_CONSTANT, value=0.0)
    grown = cv2.dilate(wider, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * width + 1, 2 * width + 1)))
    return Stamp(stamp.top - width, stamp.left - width, grown.astype(np.float32, copy=False))


def _walk(rng: np.random.Generator, steps: int, bend: float, start_angle: float | None = None) -> Points:
    """[9 points a step, 2] along a smooth curve inside the unit circle, of length about 2."""
    angles = np.cumsum(rng.normal(0, bend, steps)) + (rng.uniform(0, 2 * np.pi) if start_angle is None else start_angle)
    fine = np.interp(np.linspace(0, steps - 1, 9 * steps), np.arange(steps), angles)
    line = np.cumsum(np.stack([np.cos(fine), np.sin(fine)], axis=1), axis=0) * (2 / len(fine))
    return np.asarray(line - line.mean(axis=0))


def _band(line: Points, start_width: float, end_width: float) -> Points:
    """Return the outline of a line with width."""
    direction = np.gradient(line, axis=0)
    normal = np.stack([-direction[:, 1], direction[:, 0]], axis=1)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-9
    half = np.linspace(start_width, end_width, len(line))[:, None]
    return np.concatenate([line + half * normal, (line - half * normal)[::-1]])


def _box(points: Points, size: int) -> tuple[int, int, int, int]:
    """Top, left, height, width of the points' bounding box on the canvas; at least one pixel."""
    (left, top), (right, bottom) = points.min(axis=0) - 2, points.max(axis=0) + 2
    left, right = np.clip((left, right), 0, size)
    top, bottom = np.clip((top, bottom), 0, size)
    first_row, first_column = min(int(top), size - 1), min(int(left), size - 1)
    return first_row, first_column, max(1, int(np.ceil(bottom)) - first_row), max(1, int(np.ceil(right)) - first_column)
