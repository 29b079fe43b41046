"""Folders of `masklet export`: their manifest and settings; what a runtime does with the graphs is its own."""

import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from random import Random

from tests.fuzz import materials
from tests.fuzz.attempt import Entry
from tests.fuzz.spoiling import spoil_folder, spoil_json_file
from tests.support.exported_graphs import write_manifest
from torch import Tensor

import masklet
from masklet.export.graphs import own_graphs
from masklet.export.onnx_files import OPSET
from masklet.runtimes.exported import ExportedRuntime
from masklet.runtimes.manifest import GraphEntry, Manifest, checksums
from masklet.runtimes.names import GraphName, Precision, RuntimeName, Target
from masklet.runtimes.opening import is_exported


class _NoRunner:
    name = RuntimeName.ONNXRUNTIME

    def run(self, graph: str, inputs: Sequence[Tensor]) -> list[Tensor]:
        raise AssertionError("no graph is run")


def _exported(folder: Path) -> Path:
    """A folder whose graphs are not there: recording them takes minutes."""
    network = masklet.Sam2VideoModel.from_pretrained(materials.model())
    processor = masklet.Sam2Processor.from_pretrained(materials.model())
    place = folder / "graphs"
    network.config.save_pretrained(place)
    settings = [place / "config.json", *map(Path, processor.save_pretrained(place))]
    exported = own_graphs(network, tuple(GraphName))
    Manifest(
        model="a small model",
        fingerprint=network.fingerprint,
        target=Target.ONNX,
        precision=Precision.FLOAT32,
        opset=OPSET,
        image_size=network.config.image_size,
        image_mean=tuple(processor.image_processor.image_mean),
        image_std=tuple(processor.image_processor.image_std),
        axes=exported.axes,
        graphs={
            str(each.name): GraphEntry({f"{each.name}.onnx": "0"}, each.inputs, each.outputs, {"onnxruntime": 1e-6})
            for each in exported.graphs
        },
        settings=checksums(settings),
        no_memory=tuple(network.no_memory_embedding.flatten().tolist()),
        no_object_pointer=tuple(network.no_object_pointer.flatten().tolist()),
    ).write(place)
    return place


def _spoil_manifest(rng: Random, folder: Path) -> tuple[str, Path]:
    """Half of the time with the checksum that belongs to what it holds then, so that the values are looked at."""
    done = spoil_json_file(rng, folder / "manifest.json")
    with suppress(ValueError, RecursionError, OverflowError):
        values = json.loads((folder / "manifest.json").read_bytes())
        if isinstance(values, dict) and rng.random() < 0.5:
            write_manifest(folder, values)
            done += ", with its checksum"
    return done, folder


def _spoil_files(rng: Random, folder: Path) -> tuple[str, Path]:
    return spoil_folder(rng, folder), folder


def _use(folder: Path) -> None:
    if not is_exported(folder):
        masklet.ImageSegmenter.from_pretrained(folder)
        return
    manifest = Manifest.read(folder)
    manifest.check_settings(folder)
    runtime = ExportedRuntime(folder, manifest, _NoRunner(), manifest.precision)
    assert runtime.fingerprint.startswith(manifest.fingerprint)


ENTRIES = {
    "manifest": Entry(_exported, _spoil_manifest, _use),
    "exported-folder": Entry(_exported, _spoil_files, _use),
}
