"""Wavefront OBJ files with their materials (MTL), as triangles: one part for each material."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np

GREY = (0.8, 0.8, 0.8)


@dataclass
class Material:
    """Diffuse `colour` and the strength of highlights, 0..1, and the file of the picture on it, if there is one."""

    colour: tuple[float, float, float] = GREY
    shine: float = 0.1
    picture: Path | None = None


@dataclass
class Part:
    """The triangles of one material: `corners` float32 [3 * triangles, 8], place (3), normal (3), place in the picture
    (2) of each corner."""

    corners: np.ndarray
    material: Material


@dataclass
class _Corners:
    """What an OBJ file lists: places, places in pictures, normals, and the corners of triangles by material."""

    places: list[list[str]] = field(default_factory=list)
    in_picture: list[list[str]] = field(default_factory=list)
    normals: list[list[str]] = field(default_factory=list)
    of_material: dict[str, list[str]] = field(default_factory=dict)
    libraries: list[str] = field(default_factory=list)


def read_obj(path: Path) -> list[Part]:
    """The parts of a model. Polygons become fans of triangles; where normals are missing, they are the triangle's."""
    listed = _listed(path)
    materials: dict[str, Material] = {}
    for library in listed.libraries:
        materials |= read_materials(path.parent / library)
    tables = (_numbers(listed.places, 3), _numbers(listed.in_picture, 2), _numbers(listed.normals, 3))
    return [
        Part(_gathered(corners, *tables), materials.get(name, Material()))
        for name, corners in listed.of_material.items()
        if corners
    ]


def read_materials(path: Path) -> dict[str, Material]:
    """The materials of an MTL file by their names; none if there is no such file."""
    materials: dict[str, Material] = {}
    current = Material()
    for words in _words(path) if path.exists() else ():
        match words:
            case ["newmtl", *name]:
                current = materials.setdefault(" ".join(name), Material())
            case ["Kd", red, green, blue, *_]:
                current.colour = (float(red), float(green), float(blue))
            case ["Ks", shine, *_]:
                current.shine = float(shine)
            case ["map_Kd", *name]:
                picture = path.parent / " ".join(name)
                current.picture = picture if picture.exists() else None
    return materials


def _words(path: Path) -> Iterator[list[str]]:
    with path.open(errors="replace") as lines:
        for line in lines:
            yield line.split()


def _listed(path: Path) -> _Corners:
    listed = _Corners()
    corners = listed.of_material.setdefault("", [])
    for words in _words(path):
        match words:
            case ["v", *place]:
                listed.places.append(place[:3])
            case ["vt", *place]:
                listed.in_picture.append(place[:2])
            case ["vn", *normal]:
                listed.normals.append(normal[:3])
            case ["f", first, *others]:
                for second, third in pairwise(others):
                    corners += (first, second, third)
            case ["usemtl", *name]:
                corners = listed.of_material.setdefault(" ".join(name), [])
            case ["mtllib", *name]:
                listed.libraries.append(" ".join(name))
    return listed


def _numbers(rows: list[list[str]], columns: int) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, columns)


def _gathered(corners: list[str], places: np.ndarray, in_picture: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Corners ("place/in picture/normal", from 1 or, negative, from the end) as rows of numbers."""
    index = np.zeros((len(corners), 3), np.int64)
    for row, corner in enumerate(corners):
        for column, number in enumerate(corner.split("/")[:3]):
            index[row, column] = int(number or 0)
    lengths = np.array([len(places), len(in_picture), len(normals)])
    index = np.where(index < 0, index + lengths + 1, index) - 1
    place = places[index[:, 0]]
    normal = np.repeat(_normals_of(place.reshape(-1, 3, 3)), 3, axis=0)
    in_file = index[:, 2] >= 0
    normal[in_file] = normals[index[in_file, 2]]
    texture = np.zeros((len(place), 2), np.float32)
    in_file = index[:, 1] >= 0
    texture[in_file] = in_picture[index[in_file, 1]]
    return np.concatenate([place, normal, texture], axis=1).astype(np.float32)


def _normals_of(triangles: np.ndarray) -> np.ndarray:
    across = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    return across / (np.linalg.norm(across, axis=1, keepdims=True) + 1e-12)
