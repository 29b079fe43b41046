"""What an export leaves behind: a folder that agrees with the network, or nothing."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.support.exported_graphs import copy_graphs_of, write_manifest
from tests.support.small_models import small_model
from tests.support.small_video_models import small_clip, small_video_model, video_config

from masklet import ImageSegmenter, Sam2Processor
from masklet.errors import CheckpointError, InvalidInputError
from masklet.export.destination import replaced_files
from masklet.export.folder import ExportSettings, export_model
from masklet.export.graphs import RECORDED, example_inputs, graphs_of, own_graphs
from masklet.modeling.video_network import VideoNetwork
from masklet.runtimes.exported import ExportedRuntime
from masklet.runtimes.manifest import Manifest, checksums
from masklet.runtimes.names import GraphName, Layout, Parts, Precision, Target
from masklet.runtimes.opening import is_exported

Folders = tuple[Path, Path]


def test_the_manifest_says_how_every_graph_is_called(exported_model: Folders) -> None:
    onnx = pytest.importorskip("onnx", reason="pip install 'masklet[export]'")
    folder = exported_model[1]
    manifest = Manifest.read(folder)
    assert list(manifest.graphs) == [each.value for each in GraphName]
    for entry in manifest.graphs.values():
        (name, expected), graph = *entry.files.items(), onnx.load(folder / next(iter(entry.files))).graph
        assert checksums([folder / name]) == {name: expected}
        for specs, values in ((entry.inputs, graph.input), (entry.outputs, graph.output)):
            shapes = [[each.dim_param or each.dim_value for each in x.type.tensor_type.shape.dim] for x in values]
            assert [(each.name, list(each.shape)) for each in specs] == [
                (value.name, shape) for value, shape in zip(values, shapes, strict=True)
            ]
        assert 0 <= max(entry.differences.values()) < 1e-5
    axes = {size for each in manifest.graphs.values() for spec in each.inputs for size in spec.shape}
    assert manifest.axes.keys() == {each for each in axes if isinstance(each, str)}


def test_positions_are_in_the_graph_as_they_are_added(exported_model: Folders) -> None:
    """OpenVINO computes what is constant by plain loops whenever it opens a graph: for minutes at 1024."""
    onnx = pytest.importorskip("onnx", reason="pip install 'masklet[export]'")
    nodes = onnx.load(exported_model[1] / "encode_image.onnx").graph.node
    modes = {value.s for node in nodes if node.op_type == "Resize" for value in node.attribute if value.name == "mode"}
    assert modes == {b"nearest"}  # of the pyramid


def spoiled(values: Any, path: str, value: object) -> Any:
    """A manifest with another value at a place, as `graphs.decode.files`."""
    values = json.loads(json.dumps(values))
    *holders, last = path.split(".")
    holder = values
    for name in holders:
        holder = holder[int(name) if isinstance(holder, list) else name]
    holder[int(last) if isinstance(holder, list) else last] = value
    return values


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("format", 2, "has format 2; this masklet reads 3: export it again"),
        ("format", 4, "has format 4, of a later masklet; this one reads 3: update masklet"),
        ("format", "three", "format must be a whole number"),
        ("graphs", {}, "without the graphs "),
        ("graphs.encode", {}, "is not a valid GraphName"),
        ("axes", {"objects": 3}, "cannot unpack"),
        ("axes.objects", [1, float("inf")], "objects must be a whole number"),
        ("other", 1, "unexpected keyword argument 'other'"),
        ("graphs.encode_image.files", {"../encode_image.onnx": "0"}, "files are "),
        ("graphs.encode_image.inputs.0.dtype", "load", "the type 'load' is none of"),
        ("graphs.encode_image.inputs.0.shape", [1, None], "pixel_values must be a whole number"),
        ("graphs.encode_image.differences", {"openvino": "small"}, "differences must be finite numbers"),
        ("settings", {}, "files are {}"),
        ("fingerprint", 7, "model and fingerprint are texts"),
        ("image_size", "abc", "image_size must be a whole number"),
        ("no_memory", [float("nan")] * 64, "no_memory must be finite numbers"),
        pytest.param("no_object_pointer.3", 10**400, "no_object_pointer must be", id="beyond floats"),
    ],
)
def test_a_manifest_is_checked(exported_model: Folders, tmp_path: Path, path: str, value: object, message: str) -> None:
    values = json.loads((exported_model[1] / "manifest.json").read_text())
    write_manifest(tmp_path, spoiled(values, path, value))
    with pytest.raises(CheckpointError, match=re.escape(message)):
        Manifest.read(tmp_path)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("no_memory.0", 0.5),
        ("image_mean", [0.5, 0.5, 0.5]),
        ("graphs.encode_image.inputs.0.dtype", "int64"),
        ("graphs.decode.inputs", []),
        ("checksum", 0),
    ],
)
def test_a_changed_manifest_is_noticed(exported_model: Folders, tmp_path: Path, path: str, value: object) -> None:
    """Values that are possible, but give other masks."""
    values = json.loads((exported_model[1] / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps(spoiled(values, path, value)))
    for read in (Manifest.read, Manifest.files_in):
        with pytest.raises(CheckpointError, match=r"is no manifest of .*it was changed, its checksum is another one"):
            read(tmp_path)


def test_an_export_of_an_earlier_version_is_replaced(exported_model: Folders, tmp_path: Path) -> None:
    values = json.loads((exported_model[1] / "manifest.json").read_text())
    del values["checksum"]
    (tmp_path / "manifest.json").write_text(json.dumps({**values, "format": 2}))
    for name in (names := Manifest.files_in(exported_model[1])):
        (tmp_path / name).touch()
    assert all(map(replaced_files(tmp_path, Layout.MASKLET).fullmatch, names))
    write_manifest(tmp_path, {**values, "format": 4})
    with pytest.raises(CheckpointError, match="of a later masklet"):
        replaced_files(tmp_path, Layout.MASKLET)


@pytest.mark.parametrize(
    ("name", "path", "value", "message"),
    [
        ("manifest.json", "no_memory", [0.5], "manifest.json and config.json are of different models"),
        ("manifest.json", "image_size", 128, "manifest.json and config.json are of different models"),
        ("config.json", "num_maskmem", 3, "config.json is missing, or not the file that was exported"),
        ("processor_config.json", "image_processor.max_hole_share", 0.5, "not the file that was exported"),
    ],
)
def test_settings_that_were_changed_are_noticed(
    exported_model: Folders, tmp_path: Path, name: str, path: str, value: object, message: str
) -> None:
    shutil.copytree(exported_model[1], tmp_path, dirs_exist_ok=True)
    values = spoiled(json.loads((tmp_path / name).read_text()), path, value)
    if name == "manifest.json":
        write_manifest(tmp_path, values)
    else:
        (tmp_path / name).write_text(json.dumps(values))
    with pytest.raises(CheckpointError, match=message):
        ImageSegmenter.from_pretrained(tmp_path)


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


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("layout", "name", "message"),
    [
        (Layout.MASKLET, "model.safetensors", "holds a checkpoint, model.safetensors; give another folder"),
        (Layout.MASKLET, "model-00001-of-00002.safetensors", "holds a checkpoint, model-00001"),
        (Layout.MASKLET, "pytorch_model.bin", "holds a checkpoint, pytorch_model.bin"),
        (Layout.SAMEXPORTER, "sam2.1_hiera_tiny.pt", "holds a checkpoint, sam2.1_hiera_tiny.pt"),
        (Layout.MASKLET, "manifest.json", "manifest.json would be replaced, and is of no earlier export"),
        (Layout.MASKLET, "config.json", "config.json would be replaced, and is of no earlier export"),
        (Layout.MASKLET, "decode.onnx", "decode.onnx would be replaced, and is of no earlier export"),
        (Layout.TRANSFORMERSJS, "config.json", "config.json would be replaced, and is of no earlier export"),
        (Layout.TRANSFORMERSJS, "onnx/vision_encoder.onnx", "vision_encoder.onnx would be replaced, and is of no earl"),
    ],
)
def test_files_of_others_are_never_replaced(
    exported_model: Folders, tmp_path: Path, layout: Layout, name: str, message: str
) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text('{"name": "an application of the web"}')
    before = files_of(tmp_path)
    with pytest.raises(InvalidInputError, match=message):
        export_model(str(exported_model[0]), tmp_path, ExportSettings(layout=layout))
    assert files_of(tmp_path) == before


def test_an_earlier_export_goes_and_other_files_stay(
    exported_model: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_graphs_of(exported_model[1], monkeypatch)
    shutil.copytree(exported_model[1], tmp_path, dirs_exist_ok=True)
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "automatic_masks.json").write_text("{}")  # settings of the earlier one that the new one has not
    values = json.loads((tmp_path / "manifest.json").read_text())
    values["settings"]["automatic_masks.json"] = "0"
    write_manifest(tmp_path, values)
    export_model(str(exported_model[0]), tmp_path, ExportSettings())
    assert {path.name for path in tmp_path.iterdir()} == {"notes.txt", *Manifest.files_in(tmp_path)}
    assert not (tmp_path / "automatic_masks.json").exists()


def test_a_manifest_of_another_program_hides_no_checkpoint(exported_model: Folders, tmp_path: Path) -> None:
    shutil.copytree(exported_model[0], tmp_path, dirs_exist_ok=True)
    (tmp_path / "manifest.json").write_text('{"name": "an application of the web", "icons": []}')
    assert not isinstance(ImageSegmenter.from_pretrained(tmp_path).runtime, ExportedRuntime)


def test_an_export_that_was_killed_while_it_moved_its_files_opens(exported_model: Folders, tmp_path: Path) -> None:
    """As a first one, and over an earlier one: some files are of the second, and the manifest still of the first."""
    graphs = exported_model[1]
    earlier = tmp_path / "earlier"
    shutil.copytree(graphs, earlier)
    values = json.loads((earlier / "manifest.json").read_text())
    values["graphs"]["encode_image"]["files"]["encode_image.onnx"] = "of an earlier export"
    write_manifest(earlier, values)
    (tmp_path / "new").mkdir()
    for folder in (earlier, tmp_path / "new"):
        complete = folder / ".unfinished-killed" / "complete"
        shutil.copytree(graphs, complete)
        (complete.parent / "gone.json").write_text("[]")
        (complete / "config.json").replace(folder / "config.json")
        assert is_exported(folder)
        image = small_clip(frames=1)[0]
        found, expected = (ImageSegmenter.from_pretrained(each).encode(image) for each in (folder, graphs))
        torch.testing.assert_close(found.embeddings.stride16, expected.embeddings.stride16)


def test_graphs_of_images_alone() -> None:
    """The network has no pointers, and the manifest names none."""
    network = small_model()
    inputs = example_inputs(network, RECORDED)
    for graph in graphs_of(network, Parts.IMAGES.graphs):
        shapes = [list(each.shape) for each in graph.module(*inputs[graph.name])]
        named = [[RECORDED.get(str(size), size) for size in spec.shape] for spec in graph.outputs]
        assert shapes == named
    assert len(graph.outputs) == 3


def test_graphs_of_a_network_without_memory() -> None:
    """Frames are not conditioned, and nothing has an axis of frames or pointers."""
    network = VideoNetwork(video_config(num_maskmem=0, memory_attention_num_layers=1)).eval()
    exported = own_graphs(network, tuple(GraphName))
    inputs = exported.inputs(RECORDED, 0)
    for graph in exported.graphs:
        shapes = [list(each.shape) for each in graph.module(*inputs[graph.name])]
        assert shapes == [[RECORDED.get(str(size), size) for size in spec.shape] for spec in graph.outputs]
    assert {each.name for each in exported.graphs} == set(GraphName) - {GraphName.CONDITION}
    assert exported.axes.keys() == {"objects", "points"}
