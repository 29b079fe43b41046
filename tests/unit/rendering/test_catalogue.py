"""Libraries of models: sizes in metres, things that stand on the ground."""

from pathlib import Path

import numpy as np
import pytest
from rendering.catalogue import CATALOGUE, read_libraries

BOX = "".join(f"v {x} {y} {z}\n" for x in (1, 3) for y in (5, 6) for z in (0, 8)) + "f 1 2 3\nf 6 7 8\n"
ENTRY = "name#{0}={1}\ncategory#{0}=Kitchen\nmodel#{0}=/things/box.obj\nwidth#{0}={2}\nheight#{0}=50\ndepth#{0}=30\n"


def library(folder: Path, *entries: str) -> Path:
    (folder / "one" / "things").mkdir(parents=True)
    (folder / "one" / "things" / "box.obj").write_text(BOX)
    (folder / "one" / CATALOGUE).write_text("# comment\n" + "".join(entries), encoding="latin-1")
    return folder


def test_models_are_in_metres_above_the_origin(tmp_path: Path) -> None:
    (model,) = read_libraries(library(tmp_path, ENTRY.format(1, "Box", 100)))
    places = np.concatenate([part.corners[:, :3] for part in model.parts])
    np.testing.assert_allclose(places.min(axis=0), [-0.5, 0, -0.15], atol=1e-6)
    np.testing.assert_allclose(places.max(axis=0), [0.5, 0.5, 0.15], atol=1e-6)
    assert (model.name, model.category, model.size.tolist()) == ("Box", "Kitchen", [1, 0.5, 0.3])


def test_a_model_is_turned_before_it_is_measured(tmp_path: Path) -> None:
    turn = "modelRotation#1=0 0 1 0 1 0 -1 0 0\n"  # x becomes -z, z becomes x
    (plain,) = read_libraries(library(tmp_path / "plain", ENTRY.format(1, "Box", 100)))
    (turned,) = read_libraries(library(tmp_path / "turned", ENTRY.format(1, "Box", 100) + turn))
    first, second = plain.parts[0].corners[0], turned.parts[0].corners[0]
    np.testing.assert_allclose(second[:3] / turned.size, (first[:3] / plain.size)[[2, 1, 0]] * (1, 1, -1), atol=1e-6)


@pytest.mark.parametrize(("name", "width"), [("Wall socket", 100), ("Round carpet", 100)])
def test_what_is_flat_or_fixed_is_left_out(tmp_path: Path, name: str, width: float) -> None:
    assert read_libraries(library(tmp_path, ENTRY.format(1, name, width))) == []


def test_a_model_that_cannot_be_read_is_reported_and_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lost = ENTRY.format(2, "Lost", 100).replace("box.obj", "nowhere.obj")
    (model,) = read_libraries(library(tmp_path, ENTRY.format(1, "Box", 100), lost))
    assert model.name == "Box"
    assert "Lost left out" in capsys.readouterr().err
