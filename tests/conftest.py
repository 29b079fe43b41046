"""What tests of several folders share."""

import os
from pathlib import Path

import pytest
from PIL import Image

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # for tests that import ONNX Runtime by themselves


@pytest.fixture(autouse=True)
def usual_limit_on_image_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test sets by --max-image-pixels, or the environment by itself, ends with the test."""
    monkeypatch.setenv("MASKLET_MAX_IMAGE_PIXELS", "1")
    monkeypatch.delenv("MASKLET_MAX_IMAGE_PIXELS")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)


@pytest.fixture(scope="session")
def saved_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small random model for images of 96 pixels, and its processor. Not to be changed."""
    from tests.support.small_models import small_model

    from masklet import Sam2Processor

    folder = tmp_path_factory.mktemp("saved") / "model"
    small_model(96).save_pretrained(folder)
    Sam2Processor(size=96).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def exported_model(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A small random model for videos of 96 pixels, and its graphs: a checkpoint and a folder. Not to be changed."""
    for exporter in ("onnx", "onnxscript"):
        pytest.importorskip(exporter, reason="pip install 'masklet[export]'")
    from tests.support.small_video_models import small_video_model

    from masklet import Sam2Processor
    from masklet.export.folder import ExportSettings, export_model

    folder = tmp_path_factory.mktemp("exported")
    checkpoint, graphs = folder / "model", folder / "graphs"
    small_video_model(memory_attention_num_layers=1).save_pretrained(checkpoint)
    Sam2Processor(size=96).save_pretrained(checkpoint)
    export_model(str(checkpoint), graphs, ExportSettings())
    return checkpoint, graphs
