"""Folders in the layouts of other programs, used by clients that do as these programs do."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from tests.support.small_models import randomised, small_backbone, small_config

from masklet import ImageSegmenter, Sam2Model, Sam2Processor
from masklet.errors import InvalidInputError
from masklet.export.folder import ExportSettings, export_model
from masklet.runtimes.names import Layout, Target

SIDE = 96
MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
IMAGE = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
CLICKS = [((20, 30), 1), ((60, 50), 0)]
BOX = (10, 20, 70, 60)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of few blocks, because recording takes its time a layer."""
    for library in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(library, reason="pip install 'masklet[export]'")
    config, folder = small_config(SIDE), tmp_path_factory.mktemp("model")
    backbone = small_backbone(blocks_per_stage=[1, 1, 2, 1], global_attention_blocks=[3])
    config.vision_config.backbone_config = backbone
    torch.manual_seed(0)
    randomised(Sam2Model(config)).save_pretrained(folder)
    Sam2Processor(size=SIDE).save_pretrained(folder)
    return folder


def session(path: Path) -> Any:
    import onnxruntime

    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def prepared() -> np.ndarray:
    return ((IMAGE / 255 - MEAN) / DEVIATION).transpose(2, 0, 1)[None].astype(np.float32)


def expected(checkpoint: Path) -> list[np.ndarray]:
    """The best of three masks for the clicks, then for the box."""
    segmenter = ImageSegmenter.from_pretrained(checkpoint)
    encoded = segmenter.encode(IMAGE)
    points, labels = ([[each[index] for each in CLICKS]] for index in (0, 1))
    found = [
        segmenter.segment(encoded, points=points, labels=labels, multimask=True),
        segmenter.segment(encoded, boxes=[BOX], multimask=True),
    ]
    return [each.mask(0) for each in found]


def assert_same(logits: np.ndarray, mask: np.ndarray) -> None:
    assert ((cv2.resize(logits, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR) > 0) == mask).mean() > 0.999


def fed_by_position(graph: Any, *tensors: np.ndarray) -> list[np.ndarray]:
    names = [each.name for each in graph.get_inputs()]
    found: list[np.ndarray] = graph.run(None, dict(zip(names, tensors, strict=True)))
    return found


def test_samexporter(checkpoint: Path, tmp_path: Path) -> None:
    """Two rows of one mark each, the shorter padded by -1; the best mask of a row."""
    export_model(str(checkpoint), tmp_path, ExportSettings(layout=Layout.SAMEXPORTER))
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
    for row, mask in enumerate(expected(checkpoint)):
        assert_same(masks[row, scores[row].argmax()], mask)
    refined, _ = fed_by_position(decoder, *marks, masks[:, :1], np.ones(1, np.float32))
    assert not np.allclose(refined, masks)


def test_transformersjs(checkpoint: Path, tmp_path: Path) -> None:
    """Clicks without boxes, and a box without anything but a point that is none."""
    export_model(str(checkpoint), tmp_path, ExportSettings(layout=Layout.TRANSFORMERSJS))
    assert {path.name for path in tmp_path.iterdir()} == {"onnx", "config.json", "preprocessor_config.json"}
    encoder, decoder = (
        session(tmp_path / "onnx" / f"{each}.onnx") for each in ("vision_encoder", "prompt_encoder_mask_decoder")
    )
    levels = dict(zip([each.name for each in encoder.get_outputs()], fed_by_position(encoder, prepared()), strict=True))
    clicks = {
        "input_points": np.array([[[each[0] for each in CLICKS]]], np.float32),
        "input_labels": np.array([[[each[1] for each in CLICKS]]]),
        "input_boxes": np.zeros((1, 0, 4), np.float32),
    }
    box = {
        "input_points": np.zeros((1, 1, 0, 2), np.float32),
        "input_labels": np.zeros((1, 1, 0), np.int64),
        "input_boxes": np.array([[BOX]], np.float32),
    }
    for prompt, mask in zip((clicks, box), expected(checkpoint), strict=True):
        scores, masks, presence = decoder.run(["iou_scores", "pred_masks", "object_score_logits"], {**levels, **prompt})
        assert presence.shape == (1, 1, 1)
        assert_same(masks[0, 0, scores[0, 0].argmax()], mask)


def test_layouts_are_plain() -> None:
    with pytest.raises(InvalidInputError, match="The layout samexporter is of ONNX files in float32"):
        ExportSettings(Target.OPENVINO, layout=Layout.SAMEXPORTER)
