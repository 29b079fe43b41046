"""Exports in bfloat16 and int8: compared as float32 where their files hold that, and by masks on images."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tests.support.exported_graphs import copy_graphs_of
from torch import Tensor

from masklet import ImageSegmenter, Sam2Processor, Sam2VideoModel
from masklet.errors import InvalidInputError, UnreadableImageError
from masklet.export import agreement, folder
from masklet.export.agreement import check_agreement, image_files, mask_agreement
from masklet.export.folder import ExportReport, ExportSettings, export_model
from masklet.export.quantization import quantize
from masklet.runtimes.exported import ExportedRuntime
from masklet.runtimes.manifest import Manifest
from masklet.runtimes.names import GraphName, Precision, RuntimeName, Target
from masklet.runtimes.onnx import OnnxRunner

Folders = tuple[Path, Path]
KINDS = [
    (Precision.INT8, Target.ONNX),
    (Precision.INT8, Target.OPENVINO),
    (Precision.BFLOAT16, Target.OPENVINO),
]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two images of large squares, which a random network finds."""
    path = tmp_path_factory.mktemp("images")
    for number in range(2):
        colours = np.random.default_rng(number).integers(0, 256, (4, 6, 3), dtype=np.uint8)
        Image.fromarray(np.kron(colours, np.ones((32, 32, 1), np.uint8))).save(path / f"{number}.png")
    return path


@pytest.fixture(autouse=True)
def copied_graphs(exported_model: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("onnxruntime", "openvino"):
        pytest.importorskip(name, reason=f"pip install 'masklet[{name}]'")
    copy_graphs_of(exported_model[1], monkeypatch)


def exported(source: Path, place: Path, precision: Precision, target: Target, images: Path) -> ExportReport:
    return export_model(str(source), place, ExportSettings(target, precision, images=(images,)))


@pytest.mark.parametrize(("precision", "target"), KINDS)
def test_a_folder_is_left_if_masks_agree_and_stays_if_not(
    exported_model: Folders,
    images: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    precision: Precision,
    target: Target,
) -> None:
    monkeypatch.setattr(agreement, "LEAST", 0.0)
    report = exported(exported_model[0], tmp_path / "graphs", precision, target, images)
    rounded_files = {GraphName.ENCODE_IMAGE} if precision is Precision.INT8 else set()
    assert {each.graph for each in report.differences} == set(GraphName) - rounded_files
    assert report.agreement is not None
    manifest = Manifest.read(tmp_path / "graphs")
    assert (manifest.precision, manifest.agreement) == (precision, report.agreement)
    rounded, exact = (ImageSegmenter.from_pretrained(each) for each in (tmp_path / "graphs", exported_model[0]))
    assert isinstance(rounded.runtime, ExportedRuntime)
    assert rounded.runtime.precision is precision
    assert 0 < mask_agreement(exact, rounded, list(images.iterdir())) <= 1
    levels = (each.encode(np.asarray(Image.open(images / "0.png"))).embeddings.stride16 for each in (rounded, exact))
    first, second = (each.detach().flatten() for each in levels)
    assert not torch.equal(first, second)
    assert torch.cosine_similarity(first, second, dim=0) > 0.95
    monkeypatch.setattr(agreement, "LEAST", 1.01)
    before = {path.name: path.read_bytes() for path in (tmp_path / "graphs").iterdir()}
    with pytest.raises(InvalidInputError, match=r"by a mean IoU of [01]\.\d+; at least 1\.01 is needed"):
        exported(exported_model[0], tmp_path / "graphs", precision, target, images)
    assert {path.name: path.read_bytes() for path in (tmp_path / "graphs").iterdir()} == before


@pytest.mark.parametrize(("precision", "target"), [KINDS[0], KINDS[2]])
def test_a_wrong_graph_of_videos_is_not_left_where_images_agree(
    exported_model: Folders,
    images: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    precision: Precision,
    target: Target,
) -> None:
    """The copied graph is that of another memory attention; everything that images take is the network's."""
    monkeypatch.setattr(agreement, "LEAST", 0.0)
    network = Sam2VideoModel.from_pretrained(exported_model[0])
    with torch.no_grad():
        for parameter in network.memory_attention.parameters():
            parameter.mul_(2)
    network.save_pretrained(tmp_path / "other")
    Sam2Processor(size=96).save_pretrained(tmp_path / "other")
    with pytest.raises(InvalidInputError, match=r"The graph condition in .* differs from the network by"):
        exported(tmp_path / "other", tmp_path / "graphs", precision, target, images)
    assert not (tmp_path / "graphs").exists()


def test_images_are_looked_at_before_anything_is_exported(
    exported_model: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any) -> None:
        raise AssertionError("a graph was exported")

    monkeypatch.setattr(folder, "write_onnx", never)
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.png").write_text("no image")
    for images, message in (
        ("missing.png", r"No such image file: .*missing\.png"),
        ("text.png", r"Not an image in a known format: .*text\.png"),
        ("empty", r"--calibrate takes images or folders of images; got .*empty"),
    ):
        with pytest.raises((InvalidInputError, UnreadableImageError), match=message):
            exported(exported_model[0], tmp_path / "graphs", Precision.INT8, Target.ONNX, tmp_path / images)
    with pytest.raises(InvalidInputError, match="float32 has no ranges: --calibrate goes with --precision int8"):
        ExportSettings(images=(tmp_path,))


@pytest.mark.parametrize(("count", "chosen"), [(1, 1), (64, 64), (65, 33), (127, 64), (129, 43)])
def test_at_most_64_images_count(tmp_path: Path, count: int, chosen: int) -> None:
    for number in range(count):
        Image.new("RGB", (2, 2)).save(tmp_path / f"{number}.png")
    files = image_files([tmp_path])
    assert len(files) == chosen
    assert (files[0].name, len(set(files))) == ("0.png", chosen)


def test_activations_of_one_image_are_held_at_a_time(
    exported_model: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from onnxruntime.quantization.calibrate import HistogramCollector

    held, collect, prepared = [], HistogramCollector.collect, []

    def watched(self: Any, arrays: dict[str, list[Any]]) -> Any:
        held.append((len(prepared), {len(each) for each in arrays.values()}))
        return collect(self, arrays)

    def prepare(number: int) -> Tensor:
        prepared.append(number)
        return torch.randn(1, 3, 96, 96, generator=torch.Generator().manual_seed(number))

    monkeypatch.setattr(HistogramCollector, "collect", watched)
    path = tmp_path / "encode_image.onnx"
    path.write_bytes((exported_model[1] / path.name).read_bytes())
    quantize(path, range(3), prepare)
    assert held == [(1, {1}), (2, {1}), (3, {1})]
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_masks_of_one_network_agree(exported_model: Folders, images: Path) -> None:
    network = ImageSegmenter.from_pretrained(exported_model[0])
    assert mask_agreement(network, network, [images / "0.png"]) == 1
    check_agreement(0.98)
    with pytest.raises(InvalidInputError, match=r"mean IoU of 0\.960; at least 0\.97"):
        check_agreement(0.96)


def test_encoders_in_int8_of_other_images_are_other_models(exported_model: Folders) -> None:
    found, place = {}, exported_model[1]
    for precision in Precision:
        for checksum in ("of some images", "of others"):
            manifest = Manifest.read(place)
            encoder = replace(manifest.graphs["encode_image"], files={"encode_image.onnx": checksum})
            manifest = replace(manifest, graphs={**manifest.graphs, "encode_image": encoder})
            runtime = ExportedRuntime(place, manifest, OnnxRunner(place, manifest), precision)
            found[precision, checksum] = runtime.fingerprint
            runtime.runner.name = RuntimeName.OPENVINO  # which rounds in its own way
            assert (runtime.fingerprint == found[precision, checksum]) is (precision is Precision.FLOAT32)
    assert len(set(found.values())) == 4  # int8 has two
    assert len({found[Precision.INT8, each] for each in ("of some images", "of others")}) == 2
    assert found[Precision.FLOAT32, "of others"] == Manifest.read(place).fingerprint
