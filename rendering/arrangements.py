"""Where things stand, what is around them, who looks from where and in which light: a scene, by chance."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

import numpy as np

from rendering.cameras import direction, looking_at, perspective, turned
from rendering.catalogue import Model
from rendering.looks import look_of, surface
from rendering.photograph import Photograph
from rendering.studio import Light, Placed, Studio, View
from rendering.wavefront import Material, Part

SIZES = ((640, 480), (480, 640), (576, 576))
FURNITURE_WITH_ROOM_ON_TOP = re.compile(r"table|desk|cabinet|shelf|chest|box|bench|stool|dresser", re.IGNORECASE)
SMALL = 0.45  # metres: what may stand on a table


class Place(StrEnum):
    """Where a scene is."""

    ROOM = "room"
    TABLE = "table"
    OUTSIDE = "outside"


@dataclass(frozen=True)
class Setting:
    """A place of `extent` metres to each side with `count` things; `is_near`: one of them fills the picture."""

    place: Place
    extent: float
    count: int
    is_near: bool

    @classmethod
    def any(cls, rng: np.random.Generator, near_share: float) -> "Setting":
        """One of the three places; so many of them seen from near."""
        is_near = bool(rng.random() < near_share)
        if is_near:
            place = rng.choice([Place.ROOM, Place.OUTSIDE])
            return cls(Place(place), rng.uniform(1.0, 2.2), int(rng.integers(2, 6)), is_near)
        place = Place(rng.choice(list(Place), p=[0.45, 0.2, 0.35]))
        extents = {Place.ROOM: (1.4, 3.0), Place.TABLE: (0.2, 0.5), Place.OUTSIDE: (2.5, 7.0)}
        return cls(place, rng.uniform(*extents[place]), int(rng.integers(6, 25)), is_near)


def any_photograph(
    studio: Studio, models: Sequence[Model], rng: np.random.Generator, near_share: float = 0.1
) -> Photograph:
    """A scene of any of the models, photographed."""
    setting = Setting.any(rng, near_share)
    swatches = len(studio.swatches)
    things = _things(models, setting, rng, swatches)
    size = SIZES[rng.choice(3, p=[0.6, 0.15, 0.25])]
    view, target = _view(things, setting, rng, size)
    around = [each for each in _surroundings(setting, rng, swatches) if not _hides_everything(each, view.eye)]
    has_backdrop = setting.place is Place.OUTSIDE or rng.random() < 0.25
    backdrop = int(rng.integers(len(studio.backdrops))) if has_backdrop else None
    return studio.photograph([*things, *around], view, any_light(rng, target, 2 * setting.extent), backdrop)


def any_light(rng: np.random.Generator, target: np.ndarray, reach: float) -> Light:
    """From darkness with a lamp to a cloudy day."""
    strength = rng.uniform(0.0, 1.4)
    around = rng.uniform(0.35, 0.9) if strength > 0.5 else rng.uniform(0.6, 1.1)
    warm, above, below = (np.clip(rng.normal(1, 0.08, 3), 0.7, 1.3) for _ in range(3))
    return Light(
        direction=direction(rng.uniform(0, 2 * np.pi), rng.uniform(0.25, 1.4)),
        colour=strength * warm,
        sky=around * above,
        ground=around * rng.uniform(0.3, 0.9) * below,
        middle=target * (1, 0, 1),
        reach=reach,
    )


def _chances(models: Sequence[Model], setting: Setting) -> np.ndarray:
    """How often each model is chosen: things that fit the place, people more often than there are models of them."""
    factors = {Place.ROOM: (5, 0.3), Place.TABLE: (0, 1), Place.OUTSIDE: (5, 3)}
    people, vehicles = factors[setting.place]
    chances = np.array([_fitness(each, setting.place) for each in models])
    chances *= [people if each.category == "Characters" else 1 for each in models]
    chances *= [vehicles * (6 if setting.is_near else 1) if each.category == "Vehicles" else 1 for each in models]
    return chances / chances.sum()


def _fitness(model: Model, place: Place) -> float:
    longest = model.size.max()
    if place is Place.TABLE:
        return float(longest < 0.5)
    if place is Place.ROOM:
        return 0.15 if longest <= 0.35 else float(longest < 3.2)
    if model.category not in ("Exterior", "Vehicles", "Characters", "Miscellaneous"):
        return 0.05
    return 1.0 if longest >= 1 else 0.3


def _things(models: Sequence[Model], setting: Setting, rng: np.random.Generator, swatches: int) -> list[Placed]:
    """Things beside each other, small ones also on furniture; one in five is another of the kind before it."""
    kinds = rng.choice(len(models), setting.count, p=_chances(models, setting))
    for index in range(1, len(kinds)):
        if rng.random() < 0.2:
            kinds[index] = kinds[index - 1]
    taken: list[tuple[float, float, float]] = []
    tops: list[tuple[float, float, float, float]] = []
    placed = []
    for number, kind in enumerate(kinds, start=1):
        model = models[kind]
        scale = float(np.exp(rng.normal(0, 0.12)))
        if setting.place is Place.OUTSIDE and model.size.max() < 0.8:
            scale *= rng.uniform(1.5, 3.0)
        radius = 0.4 * scale * float(np.hypot(model.size[0], model.size[2]))
        spot = _spot(model, radius, setting, taken, tops, rng)
        if spot is None:
            continue
        x, y, z = spot
        if y == 0:
            taken.append((x, z, radius))
            if _has_room_on_top(model):
                tops.append((x, model.size[1] * scale, z, radius))
        to_world = turned(rng.uniform(0, 2 * np.pi))
        to_world[:3, :3] *= scale
        if setting.place is Place.TABLE and rng.random() < 0.3:
            y = _lay_down(model, to_world, rng)
        elif setting.place is not Place.TABLE and rng.random() < 0.06:
            y += rng.uniform(0, 1.2)
        to_world[:3, 3] = x, y, z
        is_repainted = rng.random() < (0.25 if model.category == "Characters" else 0.45)
        looks = [look_of(part, rng, swatches, is_repainted) for part in model.parts]
        placed.append(Placed(model, to_world, looks, number))
    return placed


def _spot(
    model: Model,
    radius: float,
    setting: Setting,
    taken: Sequence[tuple[float, float, float]],
    tops: Sequence[tuple[float, float, float, float]],
    rng: np.random.Generator,
) -> tuple[float, float, float] | None:
    """A free place (x, height, z); None if none was found."""
    if setting.place is Place.ROOM and model.size.max() < SMALL and tops:
        x, y, z, reach = tops[rng.integers(len(tops))]
        return x + rng.normal(0, 0.3 * reach), y, z + rng.normal(0, 0.3 * reach)
    for _ in range(12):
        x, z = rng.uniform(-setting.extent, setting.extent, 2)
        if all(np.hypot(x - a, z - b) > 0.85 * (radius + c) for a, b, c in taken):
            return x, 0.0, z
    return None


def _has_room_on_top(model: Model) -> bool:
    is_low_and_wide = model.size[1] < 1.1 and min(model.size[0], model.size[2]) > 0.35
    return bool(is_low_and_wide and FURNITURE_WITH_ROOM_ON_TOP.search(model.name))


def _lay_down(model: Model, to_world: np.ndarray, rng: np.random.Generator) -> float:
    """Turn a thing onto a side (`to_world` changes) and return how far it is to be lifted."""
    angle = rng.choice([1, 2, 3]) * np.pi / 2
    tilt = np.eye(4)
    tilt[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    to_world[:] = to_world @ tilt
    width, height, depth = model.size
    sides = product((-width / 2, width / 2), (0, height), (-depth / 2, depth / 2))
    heights = np.array(list(sides)) @ to_world[1, :3]
    return -float(heights.min())


def _surroundings(setting: Setting, rng: np.random.Generator, swatches: int) -> list[Placed]:
    """Mostly a floor, and in rooms walls."""
    unit = 1.0 if setting.place is Place.ROOM else setting.extent
    around = []
    if rng.random() < (0.8 if setting.place is Place.OUTSIDE else 0.9):
        half = setting.extent * (6 if setting.place is Place.OUTSIDE else 3)
        floor = surface(rng, swatches, 0.25 / unit, 1.2 / unit)
        around.append(Placed(_plane(1, half), np.eye(4), [floor], 0))
    if setting.place is Place.ROOM or (setting.place is Place.TABLE and rng.random() < 0.4):
        wall = surface(rng, swatches, 0.15 / unit, 1.0 / unit)
        for axis in (0, 2):
            for side in (-1, 1):
                to_world = np.eye(4)
                to_world[axis, 3] = side * setting.extent * rng.uniform(1.1, 1.6)
                if rng.random() < 0.75:
                    around.append(Placed(_plane(axis, 3 * setting.extent), to_world, [wall], 0))
    return around


def _plane(axis: int, half: float) -> Model:
    """A square of twice `half` metres at right angles to an axis."""
    first, second = (each for each in range(3) if each != axis)
    corners = np.zeros((6, 8), np.float32)
    square = np.array([[-1, -1], [1, -1], [1, 1], [-1, -1], [1, 1], [-1, 1]], np.float32)
    corners[:, [first, second]] = square * half
    corners[:, 3 + axis] = 1
    return Model("plane", "surroundings", np.full(3, 2 * half), (Part(corners, Material()),))


def _hides_everything(placed: Placed, eye: np.ndarray) -> bool:
    """Whether it is a wall between the eye and the room."""
    wall = placed.to_world[:3, 3]
    return bool(any(wall[axis] * eye[axis] > 0 and abs(eye[axis]) > 0.97 * abs(wall[axis]) for axis in (0, 2)))


def _view(
    things: Sequence[Placed], setting: Setting, rng: np.random.Generator, size: tuple[int, int]
) -> tuple[View, np.ndarray]:
    """A camera and what it looks at: the middle of the place, or from near the first thing."""
    angle, extent = np.deg2rad(rng.uniform(30, 75)), setting.extent
    is_on_table = setting.place is Place.TABLE
    above = np.deg2rad(rng.uniform(12, 75) if is_on_table else np.clip(rng.gamma(2, 9), 3, 70))
    level = 0.15 * extent if is_on_table else rng.uniform(0.3, 1.1)
    target = np.array([rng.normal(0, 0.3 * extent), level, rng.normal(0, 0.3 * extent)])
    distance = 0.8 * extent * rng.uniform(0.7, 1.35) / np.tan(angle / 2)
    if setting.place is Place.ROOM:
        distance = min(distance, 1.6 * extent)
    if setting.is_near and things:
        model, to_world = things[0].model, things[0].to_world
        radius = model.radius * float(np.linalg.norm(to_world[:3, 0]))
        target = to_world[:3, 3] + (0, model.size[1] / 2, 0) + rng.normal(0, 0.25 * radius, 3)
        distance = radius * rng.uniform(0.7, 1.6) / np.sin(angle / 2)
    eye = target + distance * direction(rng.uniform(0, 2 * np.pi), above)
    eye[1] = max(eye[1], 0.1 * extent)
    roll = rng.normal(0, 0.04)
    camera = looking_at(eye, target, (np.sin(roll), np.cos(roll), 0))
    projection = perspective(angle, size[0] / size[1], 0.05 * distance, 12 * distance)
    return View(eye, camera, projection, size), target
