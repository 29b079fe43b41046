"""The released configurations at 1024, with random weights: minutes and gigabytes each."""

from pathlib import Path

import pytest
import torch
from tests.support.small_models import randomised

from masklet import Sam2Processor
from masklet.configuration.presets import SIZES, VERSIONS, preset
from masklet.export.folder import ExportSettings, export_model
from masklet.modeling.video_network import VideoNetwork
from masklet.runtimes.names import GraphName


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("size", SIZES)
def test_graphs_equal_the_network(size: str, version: str, tmp_path: Path) -> None:
    for library in ("onnx", "onnxscript"):
        pytest.importorskip(library, reason="pip install 'masklet[export]'")
    torch.manual_seed(0)
    randomised(VideoNetwork(preset(size, version))).save_pretrained(tmp_path / "model")
    Sam2Processor().save_pretrained(tmp_path / "model")
    report = export_model(str(tmp_path / "model"), tmp_path / "graphs", ExportSettings())
    assert {each.graph for each in report.differences} == set(GraphName)
    assert max(each.largest for each in report.differences) <= 1e-5
