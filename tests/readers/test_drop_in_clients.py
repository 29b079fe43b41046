"""Folders in the layouts of other programs, used by these programs: clicks and boxes, the masks are masklet's."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from tests.readers.environments import read_by, read_by_node
from tests.support.drop_in_prompts import BOX, CLICKS, IMAGE, OTHER_BOX, SIDE, best_masks, save_model_of_few_blocks

from masklet.export.folder import ExportSettings, export_model
from masklet.runtimes.names import Layout

pytestmark = pytest.mark.readers


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model_of_few_blocks(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def samexporter_folder(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("samexporter")
    export_model(str(model), folder, ExportSettings(layout=Layout.SAMEXPORTER))
    return folder


@pytest.fixture
def pixels(tmp_path: Path) -> Path:
    (tmp_path / "pixels").write_bytes(IMAGE.tobytes())
    return tmp_path / "pixels"


def assert_same(found: np.ndarray, model: Path) -> None:
    expected = best_masks(model)
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert (one == other).mean() > 0.999


def test_samexporter_segments_by_its_layout(model: Path, samexporter_folder: Path, tmp_path: Path) -> None:
    Image.fromarray(IMAGE).save(tmp_path / "image.png")
    clicks = [{"type": "point", "data": place, "label": label} for place, label in CLICKS]
    boxes = [[{"type": "rectangle", "data": box}] for box in (BOX, OTHER_BOX)]
    given = (samexporter_folder, tmp_path / "image.png", json.dumps([clicks, *boxes]), tmp_path / "masks.npy")
    read_by("samexporter", "samexporter_masks", *given)
    assert_same(np.load(tmp_path / "masks.npy"), model)


def test_browsers_run_the_layout_of_samexporter(
    model: Path, samexporter_folder: Path, pixels: Path, tmp_path: Path
) -> None:
    clicks = [(*place, label) for place, label in CLICKS]
    boxes = [[(*box[:2], 2), (*box[2:], 3)] for box in (BOX, OTHER_BOX)]
    given = (samexporter_folder, pixels, SIDE, json.dumps([clicks, *boxes]), tmp_path / "logits")
    read_by_node("transformersjs", "onnxruntime_web_masks", *given)
    logits = np.fromfile(tmp_path / "logits", np.float32).reshape(-1, SIDE // 4, SIDE // 4)
    assert_same(np.stack([cv2.resize(each, (SIDE, SIDE)) > 0 for each in logits]), model)


def test_transformersjs_segments_by_its_layout(model: Path, pixels: Path, tmp_path: Path) -> None:
    """Clicks, then two boxes at once."""
    export_model(str(model), tmp_path / "folder", ExportSettings(layout=Layout.TRANSFORMERSJS))
    places, labels = ([[[each[index] for each in CLICKS]]] for index in (0, 1))
    prompts = [{"input_points": places, "input_labels": labels}, {"input_boxes": [[BOX, OTHER_BOX]]}]
    given = (tmp_path / "folder", pixels, SIDE, json.dumps(prompts), tmp_path / "masks")
    read_by_node("transformersjs", "transformersjs_masks", *given)
    assert_same(np.fromfile(tmp_path / "masks", np.uint8).reshape(-1, SIDE, SIDE).astype(bool), model)
