"""Model files as triangles."""

from pathlib import Path

import numpy as np
import pytest
from rendering.wavefront import read_materials, read_obj

SQUARE = "v 0 0 0\nv 2 0 0\nv 2 1 0\nv 0 1 0\n"


def written(folder: Path, obj: str, mtl: str = "") -> Path:
    (folder / "thing.mtl").write_text(mtl)
    path = folder / "thing.obj"
    path.write_text("# a comment\nmtllib thing.mtl\n" + obj)
    return path


def area(corners: np.ndarray) -> float:
    triangles = corners[:, :3].reshape(-1, 3, 3)
    across = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    return float(np.linalg.norm(across, axis=1).sum() / 2)


@pytest.mark.parametrize("face", ["f 1 2 3 4", "f -4 -3 -2 -1", "f 1// 2// 3// 4//"])
def test_a_polygon_becomes_triangles_of_its_area(tmp_path: Path, face: str) -> None:
    (part,) = read_obj(written(tmp_path, SQUARE + face))
    assert part.corners.shape == (6, 8)
    assert area(part.corners) == pytest.approx(2)


def test_missing_normals_are_those_of_the_triangle(tmp_path: Path) -> None:
    (part,) = read_obj(written(tmp_path, SQUARE + "f 1 2 3"))
    np.testing.assert_allclose(part.corners[:, 3:6], np.tile([0, 0, 1], (3, 1)), atol=1e-6)


def test_normals_and_places_in_the_image_are_each_corners_own(tmp_path: Path) -> None:
    lists = "vt 0 0\nvt 1 0\nvt 1 1\nvn 1 0 0\nvn 0 1 0\n"
    (part,) = read_obj(written(tmp_path, SQUARE + lists + "f 1/1/1 2/2/2 3/3/1"))
    np.testing.assert_array_equal(part.corners[:, 3:6], [[1, 0, 0], [0, 1, 0], [1, 0, 0]])
    np.testing.assert_array_equal(part.corners[:, 6:], [[0, 0], [1, 0], [1, 1]])


def test_parts_are_by_material_even_where_these_take_turns(tmp_path: Path) -> None:
    faces = "usemtl red paint\nf 1 2 3\nusemtl other\nf 1 3 4\nusemtl red paint\nf 1 2 4\n"
    red, other = read_obj(written(tmp_path, SQUARE + faces, "newmtl red paint\nKd 1 0 0\nKs 0.5 0.5 0.5\n"))
    assert (len(red.corners), len(other.corners)) == (6, 3)
    assert (red.material.colour, red.material.shine) == ((1, 0, 0), 0.5)
    assert other.material.colour == (0.8, 0.8, 0.8)


def test_an_image_is_found_beside_the_materials_or_left_out(tmp_path: Path) -> None:
    (tmp_path / "oak wood.jpg").touch()
    written(tmp_path, "", "newmtl oak\nmap_Kd oak wood.jpg\nnewmtl lost\nmap_Kd nowhere.jpg\n")
    materials = read_materials(tmp_path / "thing.mtl")
    assert materials["oak"].picture == tmp_path / "oak wood.jpg"
    assert materials["lost"].picture is None
    assert read_materials(tmp_path / "missing.mtl") == {}
