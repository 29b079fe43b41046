"""What an export leaves behind: a folder that agrees with the network, or nothing."""

import json
from pathlib import Path

import pytest
import torch
from tests.support.exported_graphs import copy_graphs_of
from tests.support.small_models import small_model
from tests.support.small_video_models import small_clip, small_video_model

from masklet import ImageSegmenter, Sam2Processor
from masklet.errors import CheckpointError, InvalidInputError
from masklet.export.folder import ExportSettings, export_model
from masklet.export.graphs import RECORDED, example_inputs, graphs_of
from masklet.runtimes.manifest import Manifest, checksum
from masklet.runtimes.names import GraphName, Parts, Precision, Target

Folders = tuple[Path, Path]


def test_the_manifest_says_how_every_graph_is_called(exported_model: Folders) -> None:
    onnx = pytest.importorskip("onnx", reason="pip install 'masklet[export]'")
    folder = exported_model[1]
    manifest = Manifest.read(folder)
    assert list(manifest.graphs) == [each.value for each in GraphName]
    for entry in manifest.graphs.values():
        (name, expected), graph = *entry.files.items(), onnx.load(folder / next(iter(entry.files))).graph
        assert checksum(folder / name) == expected
        for specs, values in ((entry.inputs, graph.input), (entry.outputs, graph.output)):
            shapes = [[each.dim_param or each.dim_value for each in x.type.tensor_type.shape.dim] for x in values]
            assert [(each.name, list(each.shape)) for each in specs] == [
                (value.name, shape) for value, shape in zip(values, shapes, strict=True)
            ]
        assert 0 <= max(entry.differences.values()) < 1e-5
    axes = {size for each in manifest.graphs.values() for spec in each.inputs for size in spec.shape}
    assert manifest.axes.keys() == {each for each in axes if isinstance(each, str)}


def test_a_manifest_is_checked(exported_model: Folders, tmp_path: Path) -> None:
    values = json.loads((exported_model[1] / "manifest.json").read_text())
    for change in ({"format": 2}, {"graphs": {"encode": {}}}, {"axes": {"objects": 3}}, {"other": 1}):
        (tmp_path / "manifest.json").write_text(json.dumps({**values, **change}))
        with pytest.raises(CheckpointError, match="manifest"):
            Manifest.read(tmp_path)
    graph = values["graphs"]["encode_image"]
    graph["files"] = {"../encode_image.onnx": "0"}
    (tmp_path / "manifest.json").write_text(json.dumps(values))
    with pytest.raises(CheckpointError, match=r"is no manifest of an exported model: .*files of a graph"):
        Manifest.read(tmp_path)


def test_graphs_of_another_network_are_not_left(
    exported_model: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_graphs_of(exported_model[1], monkeypatch)
    small_video_model(seed=1, memory_attention_num_layers=1).save_pretrained(tmp_path / "other")
    Sam2Processor(size=96).save_pretrained(tmp_path / "other")
    earlier = tmp_path / "graphs"
    settings = ExportSettings()
    export_model(str(exported_model[0]), earlier, settings)
    before = {path.name: path.read_bytes() for path in earlier.iterdir()}
    for folder in (earlier, tmp_path / "new"):
        with pytest.raises(InvalidInputError, match=r"The graph embed_mask in .* differs from the network by"):
            export_model(str(tmp_path / "other"), folder, settings)
    with pytest.raises(InvalidInputError, match=r"allowed are 1\.0e-12 \(--tolerance\)"):
        export_model(str(exported_model[0]), earlier, ExportSettings(tolerance=1e-12))
    assert {path.name: path.read_bytes() for path in earlier.iterdir()} == before
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("tolerance", [0, -1e-5, 0.01, float("nan")])
def test_tolerances_that_would_accept_all_or_nothing_are_refused(tolerance: float) -> None:
    with pytest.raises(InvalidInputError, match=r"above 0 and at most 0\.001; got"):
        ExportSettings(tolerance=tolerance)


def test_files_of_openvino(exported_model: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("openvino", reason="pip install 'masklet[openvino]'")
    copy_graphs_of(exported_model[1], monkeypatch)
    export_model(str(exported_model[0]), tmp_path, ExportSettings(Target.OPENVINO))
    assert {path.suffix for path in tmp_path.iterdir()} == {".xml", ".bin", ".json"}
    image = small_clip(frames=1)[0]
    found, expected = (ImageSegmenter.from_pretrained(each).encode(image) for each in (tmp_path, exported_model[0]))
    torch.testing.assert_close(found.embeddings.stride16, expected.embeddings.stride16, rtol=1e-4, atol=1e-4)
    with pytest.raises(InvalidInputError, match="in the format 'openvino': the runtimes"):
        ImageSegmenter.from_pretrained(tmp_path, runtime="onnxruntime")


def test_what_cannot_be_exported(exported_model: Folders, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="add --to openvino"):
        ExportSettings(precision=Precision.BFLOAT16)
    with pytest.raises(InvalidInputError, match="int8 is compared on images; give --calibrate IMAGES"):
        ExportSettings(precision=Precision.INT8)
    with pytest.raises(InvalidInputError, match="holds a checkpoint; give another folder"):
        export_model(None, exported_model[0], ExportSettings())


def test_graphs_of_images_alone() -> None:
    """The network has no pointers, and the manifest names none."""
    network = small_model()
    inputs = example_inputs(network, RECORDED)
    for graph in graphs_of(network, Parts.IMAGES.graphs):
        shapes = [list(each.shape) for each in graph.module(*inputs[graph.name])]
        named = [[RECORDED.get(str(size), size) for size in spec.shape] for spec in graph.outputs]
        assert shapes == named
    assert len(graph.outputs) == 3
