"""Folders in the layouts of other programs, used by clients that do as these programs do."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from tests.support.drop_in_prompts import BOX, CLICKS, IMAGE, OTHER_BOX, SIDE, best_masks, save_model_of_few_blocks
from tests.support.exported_graphs import copy_graphs_of
from typer.testing import CliRunner

from masklet.cli.exit_codes import ExitCode
from masklet.cli.main import app
from masklet.configuration import Sam2Config
from masklet.errors import InvalidInputError
from masklet.export.destination import replaced_files
from masklet.export.folder import ExportSettings, export_model
from masklet.runtimes.names import Layout, Target

MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    for library in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(library, reason="pip install 'masklet[export]'")
    return save_model_of_few_blocks(tmp_path_factory.mktemp("model"))


def export(checkpoint: Path, folder: Path, layout: Layout, graphs: set[str]) -> None:
    result = CliRunner().invoke(app, ["export", str(checkpoint), "-o", str(folder), "--layout", layout.value])
    assert result.exit_code == ExitCode.DONE, result.output
    assert {line.split()[0] for line in result.stdout.splitlines()[1:-1]} == graphs


def session(path: Path) -> Any:
    import onnxruntime

    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def prepared() -> np.ndarray:
    return ((IMAGE / 255 - MEAN) / DEVIATION).transpose(2, 0, 1)[None].astype(np.float32)


def assert_same(logits: np.ndarray, mask: np.ndarray) -> None:
    assert ((cv2.resize(logits, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR) > 0) == mask).mean() > 0.999


def fed_by_position(graph: Any, *tensors: np.ndarray) -> list[np.ndarray]:
    names = [each.name for each in graph.get_inputs()]
    found: list[np.ndarray] = graph.run(None, dict(zip(names, tensors, strict=True)))
    return found


def test_samexporter(checkpoint: Path, tmp_path: Path) -> None:
    """Two rows of one mark each, the shorter padded by -1; the best mask of a row."""
    export(checkpoint, tmp_path, Layout.SAMEXPORTER, {"masklet.encoder", "masklet.decoder"})
    assert {path.name for path in tmp_path.iterdir()} == {"masklet.encoder.onnx", "masklet.decoder.onnx"}
    encoder, decoder = (session(tmp_path / f"masklet.{each}.onnx") for each in ("encoder", "decoder"))
    assert encoder.get_inputs()[0].shape == [1, 3, SIDE, SIDE]
    fine, middle, embedding = fed_by_position(encoder, prepared())
    points = np.array([[each[0] for each in CLICKS], np.reshape(BOX, (2, 2))], np.float32)
    labels = np.array([[each[1] for each in CLICKS], [2, 3]], np.float32)
    nothing = np.zeros((2, 1, SIDE // 4, SIDE // 4), np.float32)
    marks = (embedding, fine, middle, points, labels)
    masks, scores = fed_by_position(decoder, *marks, nothing, np.zeros(1, np.float32))
    assert masks.shape == (2, 3, SIDE // 4, SIDE // 4)
    assert np.abs(masks).max() <= 32
    for row, mask in enumerate(best_masks(checkpoint)[:2]):
        assert_same(masks[row, scores[row].argmax()], mask)
    refined, _ = fed_by_position(decoder, *marks, masks[:, :1], np.ones(1, np.float32))
    assert not np.allclose(refined, masks)


@pytest.fixture(scope="module")
def for_transformersjs(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("transformersjs")
    export(checkpoint, place, Layout.TRANSFORMERSJS, {"vision_encoder", "prompt_encoder_mask_decoder"})
    return place


def test_transformersjs(checkpoint: Path, for_transformersjs: Path) -> None:
    """Clicks without boxes; boxes beside one empty row of points, however many they are, as transformers.js has it."""
    written = for_transformersjs
    assert {path.name for path in written.iterdir()} == {"onnx", "config.json", "preprocessor_config.json"}
    assert json.loads((written / "preprocessor_config.json").read_text())["processor_class"] == "Sam2Processor"
    encoder, decoder = (
        session(written / "onnx" / f"{each}.onnx") for each in ("vision_encoder", "prompt_encoder_mask_decoder")
    )
    levels = dict(zip([each.name for each in encoder.get_outputs()], fed_by_position(encoder, prepared()), strict=True))
    clicks = {
        "input_points": np.array([[[each[0] for each in CLICKS]]], np.float32),
        "input_labels": np.array([[[each[1] for each in CLICKS]]]),
        "input_boxes": np.zeros((1, 0, 4), np.float32),
    }
    boxes = {
        "input_points": np.zeros((1, 1, 0, 2), np.float32),
        "input_labels": np.zeros((1, 2, 0), np.int64),
        "input_boxes": np.array([[BOX, OTHER_BOX]], np.float32),
    }
    expected = best_masks(checkpoint)
    for prompt, of_prompt in ((clicks, expected[:1]), (boxes, expected[1:])):
        scores, masks, presence = decoder.run(["iou_scores", "pred_masks", "object_score_logits"], {**levels, **prompt})
        assert presence.shape == (1, len(of_prompt), 1)
        for place, mask in enumerate(of_prompt):
            assert_same(masks[0, place, scores[0, place].argmax()], mask)


def test_a_download_is_not_an_earlier_export(for_transformersjs: Path, tmp_path: Path) -> None:
    """The same graphs and settings, but for what says that masklet wrote them."""
    onnx = pytest.importorskip("onnx", reason="pip install 'masklet[export]'")
    shutil.copytree(for_transformersjs, tmp_path, dirs_exist_ok=True)
    assert not replaced_files(tmp_path, Layout.TRANSFORMERSJS).fullmatch("config.json")  # nor any in the folder onnx
    for name in ("prompt_encoder_mask_decoder", "vision_encoder"):
        graph = onnx.load(path := tmp_path / "onnx" / f"{name}.onnx")
        graph.metadata_props.clear()
        onnx.save(graph, path)
        with pytest.raises(InvalidInputError, match=r"config\.json would be replaced, and is of no earlier export"):
            replaced_files(tmp_path, Layout.TRANSFORMERSJS)


def test_new_graphs_never_stand_beside_settings_of_earlier_ones(
    checkpoint: Path, for_transformersjs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which may be of another image size. An export that fails before leaves all as it was."""
    folder, settings = tmp_path / "web", ExportSettings(layout=Layout.TRANSFORMERSJS)
    copy_graphs_of(for_transformersjs / "onnx", monkeypatch)
    with pytest.raises(InvalidInputError, match="allowed are"):
        export_model(str(checkpoint), folder, replace(settings, tolerance=1e-12))
    assert not folder.exists()
    shutil.copytree(for_transformersjs, folder)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Sam2Config, "save_pretrained", killed)
    with pytest.raises(KeyboardInterrupt):
        export_model(str(checkpoint), folder, settings)
    assert {path.name for path in folder.iterdir()} == {"onnx"}


def test_layouts_are_plain() -> None:
    with pytest.raises(InvalidInputError, match="The layout samexporter is of ONNX files in float32"):
        ExportSettings(Target.OPENVINO, layout=Layout.SAMEXPORTER)
