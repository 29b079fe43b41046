"""What the materials of a model look like this time: their own pictures or swatches, in colours near theirs or new."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from rendering.wavefront import Part


class Kind(IntEnum):
    """What a surface is covered with; the shaders know the numbers."""

    PLAIN = 0
    PICTURE = 1
    SWATCH = 2


@dataclass(frozen=True)
class Look:
    """How one material looks: `colour` and the factor `tint` are RGB, `hue` is a turn in radians; `swatch` is repeated
    `grain` times a metre."""

    kind: Kind
    colour: np.ndarray
    tint: np.ndarray
    hue: float = 0.0
    shine: float = 0.02
    swatch: int = 0
    grain: float = 1.0


def look_of(part: Part, rng: np.random.Generator, swatches: int, is_repainted: bool) -> Look:
    """A look for a part: near its own, or, `is_repainted`, in any colours. Half of what is plain gets some grain."""
    material = part.material
    kind = Kind.PICTURE if material.picture else Kind.PLAIN
    if (kind is Kind.PLAIN and rng.random() < 0.45) or (kind is Kind.PICTURE and is_repainted and rng.random() < 0.15):
        kind = Kind.SWATCH
    tint = np.clip(rng.normal(1, 0.12, 3), 0.5, 1.4) * rng.uniform(0.8, 1.15)
    colour = np.array(material.colour)
    if kind is not Kind.PICTURE and is_repainted:
        colour = np.clip(rng.beta(1.2, 1.2, 3) * 0.7 + colour * 0.3, 0.02, 1)
    elif kind is Kind.PLAIN:
        colour = np.clip(colour + rng.normal(0, 0.05, 3), 0.02, 0.97)
    return Look(
        kind=kind,
        colour=colour,
        tint=tint,
        hue=float(rng.uniform(0, 2 * np.pi) if is_repainted and rng.random() < 0.7 else rng.normal(0, 0.08)),
        shine=float(rng.random() * min(1, material.shine + 0.1) * 0.5),
        swatch=int(rng.integers(swatches)),
        grain=float(np.exp(rng.uniform(np.log(0.7), np.log(5)))),
    )


def surface(rng: np.random.Generator, swatches: int, coarsest: float, finest: float) -> Look:
    """A look for a floor or a wall, whose swatch is repeated `coarsest` to `finest` times a metre."""
    tint = np.clip(rng.normal(0.95, 0.1, 3), 0.5, 1.2) * rng.uniform(0.5, 1.1)
    grain = float(rng.uniform(coarsest, finest))
    return Look(Kind.SWATCH, np.ones(3), tint, swatch=int(rng.integers(swatches)), grain=grain)
