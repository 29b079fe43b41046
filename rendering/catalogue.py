"""Libraries of Sweet Home 3D (unpacked .sh3f files): models in metres that stand on the ground."""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rendering.wavefront import Part, read_obj

CATALOGUE = "PluginFurnitureCatalog.properties"
FLAT_OR_FIXED = re.compile(
    r"plug|switch|socket|arrow|parking|crossing|rails|swimming|carpet|rug|mat$|sidewalk|bill |grass|hedge|dimmer|RJ45"
    r"|elevator door|window|opening|keys$|ring$|pool$",
    re.IGNORECASE,
)
SMALLEST, THINNEST = 0.04, 0.02  # metres: of the longest side and of the second


@dataclass(frozen=True)
class Model:
    """A thing: its middle above the origin, its lowest point at height 0, y up. `size` is width, height, depth."""

    name: str
    category: str
    size: np.ndarray
    parts: tuple[Part, ...]

    @property
    def radius(self) -> float:
        """Half of the longest diagonal."""
        return float(np.linalg.norm(self.size)) / 2


def read_libraries(folder: Path) -> list[Model]:
    """The models of every library below `folder` that are things to be seen on their own: no sockets, no carpets."""
    models = [model for catalogue in sorted(folder.rglob(CATALOGUE)) for model in _read_library(catalogue)]
    return [each for each in models if not FLAT_OR_FIXED.search(each.name) and _is_large_enough(each)]


def _is_large_enough(model: Model) -> bool:
    _, second, longest = np.sort(model.size)
    return bool(longest > SMALLEST and second > THINNEST)


def _read_library(catalogue: Path) -> list[Model]:
    entries: dict[int, dict[str, str]] = {}
    text = catalogue.read_bytes().decode("latin-1")
    for key, number, value in re.findall(r"^(\w+)#(\d+)=(.*)$", text, re.MULTILINE):
        entries.setdefault(int(number), {})[key] = value.strip()
    models = []
    for _, entry in sorted(entries.items()):
        try:
            models.append(_model(catalogue.parent, entry))
        except (OSError, ValueError, KeyError, IndexError) as error:
            print(f"{catalogue.parent.name}: {entry.get('name')} left out: {error!r}", file=sys.stderr)
    return models


def _model(library: Path, entry: dict[str, str]) -> Model:
    """As the catalogue says: turned, then stretched to its size (centimetres)."""
    parts = read_obj(library / entry["model"].lstrip("/"))
    turn = np.array([float(each) for each in entry.get("modelRotation", "1 0 0 0 1 0 0 0 1").split()]).reshape(3, 3)
    for part in parts:
        part.corners[:, :3] = part.corners[:, :3] @ turn.T
        part.corners[:, 3:6] = part.corners[:, 3:6] @ turn.T
    places = np.concatenate([part.corners[:, :3] for part in parts])
    lowest, highest = places.min(axis=0), places.max(axis=0)
    size = np.array([float(entry[each]) for each in ("width", "height", "depth")]) / 100
    stretch = size / np.maximum(highest - lowest, 1e-6)
    middle = np.array([(lowest[0] + highest[0]) / 2, lowest[1], (lowest[2] + highest[2]) / 2])
    for part in parts:
        part.corners[:, :3] = (part.corners[:, :3] - middle) * stretch
        part.corners[:, 3:6] /= stretch
    return Model(entry["name"], entry["category"], size, tuple(parts))
