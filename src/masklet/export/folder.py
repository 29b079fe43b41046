"""`masklet export`: a model to a folder of graphs, which is complete and agrees with the network, or is not there."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from masklet.atomic_files import folder_written_whole, written_whole
from masklet.configuration.base import CONFIG_FILE
from masklet.errors import InvalidInputError
from masklet.export.agreement import check_agreement, image_files, mask_agreement
from masklet.export.destination import replaced_files
from masklet.export.drop_in import drop_in_graphs
from masklet.export.graphs import RECORDED, GraphSet, own_graphs
from masklet.export.onnx_files import OPSET, check_exporter, write_onnx, write_openvino
from masklet.export.parity import TOLERANCE, Difference, check_parity, differences
from masklet.export.quantization import quantize
from masklet.media.images import read_image
from masklet.modeling.image_model import Sam2Model
from masklet.modeling.video_network import VideoNetwork
from masklet.predictors.image_segmenter import ImageSegmenter
from masklet.processing.pixels import original_pixels, prepared_pixels
from masklet.processing.processor import Sam2Processor
from masklet.runtimes.exported import ExportedRuntime
from masklet.runtimes.manifest import GraphEntry, Manifest, checksums
from masklet.runtimes.names import OF_FOLDERS, GraphName, Layout, Parts, Precision, RuntimeName, Target
from masklet.runtimes.opening import graph_runner, is_installed

MOST_TOLERATED = 1e-3


@dataclass(frozen=True)
class ExportSettings:
    """What is exported, and for whom.

    Attributes:
        target: the files.
        precision: in which graphs are computed; other ones than float32 are compared on images, too.
        parts: which graphs.
        images: files, or folders of images, to calibrate int8 with and to compare masks on.
        layout: masklet's, or that of other programs, which is ONNX in float32, of images.
        tolerance: how far a graph in float32 may be from the network, as a share of the largest value; above 0, at
            most 1e-3.
    """

    target: Target = Target.ONNX
    precision: Precision = Precision.FLOAT32
    parts: Parts = Parts.ALL
    images: Sequence[Path] = ()
    layout: Layout = Layout.MASKLET
    tolerance: float = TOLERANCE

    def __post_init__(self) -> None:
        if self.precision is Precision.BFLOAT16 and self.target is not Target.OPENVINO:
            raise InvalidInputError("bfloat16 on processors is OpenVINO's: add --to openvino.")
        is_plain = self.target is Target.ONNX and self.precision is Precision.FLOAT32
        if self.layout is not Layout.MASKLET and not is_plain:
            raise InvalidInputError(f"The layout {self.layout.value} is of ONNX files in float32.")
        if self.precision is not Precision.FLOAT32 and not self.images:
            raise InvalidInputError(f"{self.precision.value} is compared on images; give --calibrate IMAGES.")
        if self.precision is Precision.FLOAT32 and self.images:
            raise InvalidInputError("float32 has no ranges: --calibrate goes with --precision int8 or bfloat16.")
        if not 0 < self.tolerance <= MOST_TOLERATED:
            raise InvalidInputError(f"A tolerance is above 0 and at most {MOST_TOLERATED}; got {self.tolerance}.")

    @property
    def runtimes(self) -> list[RuntimeName]:
        """Those that are installed of the runtimes that read the files; InvalidInputError without any."""
        able = self.target.runtimes
        if self.layout is not Layout.MASKLET:
            able = OF_FOLDERS[1:]  # what their programs run, too
        found = [each for each in able if is_installed(each)]
        if not found:
            raise InvalidInputError(f"Graphs are compared in a runtime: pip install 'masklet[{able[-1].value}]'.")
        return found


@dataclass
class ExportReport:
    """What was compared: differences of float32, and of other precisions how much masks agree (a mean IoU)."""

    differences: list[Difference] = field(default_factory=list)
    agreement: float | None = None


def export_model(
    source: str | None,
    folder: Path,
    settings: ExportSettings,
    *,
    image_size: int | None = None,
    progress: Callable[[str], object] = lambda _: None,
) -> ExportReport:
    """Write a model's graphs, `manifest.json` and settings into a folder.

    The graphs are compared with the network before the folder changes.

    Args:
        source: of the checkpoint, as of `from_pretrained`.
        folder: made if it does not exist; an earlier export in it is replaced, and nothing else.
        settings: what is exported.
        image_size: side of the images that the graphs take; None: the model's own.
        progress: called with the name of what is begun.

    Raises:
        InvalidInputError: for what cannot be exported, or not into this folder; if a graph differs from the network.
        CheckpointError: as `from_pretrained`.
    """
    check_exporter()
    runtimes = settings.runtimes
    if settings.images:
        settings = replace(settings, images=image_files(settings.images))
    earlier = replaced_files(folder, settings.layout)
    size: dict[str, Any] = {} if image_size is None else {"image_size": image_size}
    is_own = settings.layout is Layout.MASKLET
    kind = VideoNetwork if is_own and settings.parts is Parts.ALL else Sam2Model
    network = kind.from_pretrained(source, **size)
    side = network.config.image_size
    processor = Sam2Processor.from_pretrained(source, size={"height": side, "width": side})
    exported = own_graphs(network, settings.parts.graphs) if is_own else drop_in_graphs(network, settings.layout)
    place = folder / "onnx" if settings.layout is Layout.TRANSFORMERSJS else folder
    with folder_written_whole(place, replaces=earlier) as unfinished:
        export = _Export(network, processor, settings, exported, unfinished, progress)
        report = export.written(source or "the bundled model", runtimes)
        if settings.layout is Layout.TRANSFORMERSJS:
            # Of an earlier export, perhaps of another image size: a kill leaves graphs without any, not with those.
            for name in (CONFIG_FILE, processor.image_processor.settings_file):
                (folder / name).unlink(missing_ok=True)
    if settings.layout is Layout.TRANSFORMERSJS:
        network.config.save_pretrained(folder)
        _save_image_settings(processor, folder)
    return report


class _Export:
    """One export on its way: the network and where it is written to."""

    def __init__(
        self,
        network: Sam2Model,
        processor: Sam2Processor,
        settings: ExportSettings,
        exported: GraphSet,
        folder: Path,
        progress: Callable[[str], object],
    ) -> None:
        self.network, self.processor, self.settings = network, processor, settings
        self.exported, self.folder, self.progress = exported, folder, progress

    def written(self, model: str, runtimes: Sequence[RuntimeName]) -> ExportReport:
        """Write all files, and compare."""
        is_own = self.settings.layout is Layout.MASKLET
        settings = self._write_settings() if is_own else []
        manifest = self._manifest(model, self._write_graphs(), settings)
        self.progress("comparing")
        report = self._compared(manifest, runtimes)
        if is_own:
            manifest = replace(manifest, agreement=report.agreement, graphs=_with_differences(manifest, report))
            manifest.write(self.folder)
        return report

    def _write_settings(self) -> list[Path]:
        self.network.config.save_pretrained(self.folder)
        return [self.folder / CONFIG_FILE, *map(Path, self.processor.save_pretrained(self.folder))]

    def _write_graphs(self) -> dict[str, GraphEntry]:
        inputs = self.exported.inputs(RECORDED, 0)
        entries = {}
        for graph in self.exported.graphs:
            self.progress(graph.name)
            path = self.folder / f"{graph.name}.onnx"
            write_onnx(graph, self.exported.axes, inputs[graph.name], path)
            if self.settings.precision is Precision.INT8 and graph.name is GraphName.ENCODE_IMAGE:
                quantize(path, self.settings.images, self._prepared)
            files = [path]
            if self.settings.target is Target.OPENVINO:
                files = write_openvino(path, path.with_suffix(".xml"))
                path.unlink()
            entries[str(graph.name)] = GraphEntry(checksums(files), graph.inputs, graph.outputs, {})
        return entries

    def _manifest(self, model: str, entries: dict[str, GraphEntry], settings: Sequence[Path]) -> Manifest:
        options, network = self.processor.image_processor, self.network
        pointer = network.no_object_pointer.flatten().tolist() if isinstance(network, VideoNetwork) else []
        return Manifest(
            model=model,
            fingerprint=network.fingerprint,
            target=self.settings.target,
            precision=self.settings.precision,
            opset=OPSET,
            image_size=network.config.image_size,
            image_mean=tuple(map(float, options.image_mean)),
            image_std=tuple(map(float, options.image_std)),
            axes=self.exported.axes,
            graphs=entries,
            settings=checksums(settings),
            no_memory=tuple(network.no_memory_embedding.flatten().tolist()),
            no_object_pointer=tuple(pointer),
        )

    def _compared(self, manifest: Manifest, runtimes: Sequence[RuntimeName]) -> ExportReport:
        """Compare all files that hold float32 as such, whatever they are to be computed in; then masks, if rounded."""
        precision = self.settings.precision
        rounded = [GraphName.ENCODE_IMAGE] if precision is Precision.INT8 else []
        runners = [graph_runner(name, self.folder, manifest, Precision.FLOAT32) for name in runtimes]
        found = list(differences(self.exported.without(rounded), runners))
        check_parity(found, self.settings.tolerance)
        return ExportReport(found, None if precision is Precision.FLOAT32 else self._agreement(manifest, runtimes))

    def _agreement(self, manifest: Manifest, runtimes: Sequence[RuntimeName]) -> float:
        """Return how much masks agree with the network's in the runtime where they do so least."""
        exact, precision = ImageSegmenter(self.network, self.processor), self.settings.precision
        agreement = 1.0
        for name in runtimes:
            runner = graph_runner(name, self.folder, manifest, precision)
            runtime = ExportedRuntime(self.folder, manifest, runner, precision)
            rounded = ImageSegmenter(runtime, self.processor)
            agreement = min(agreement, mask_agreement(exact, rounded, self.settings.images))
        check_agreement(agreement)
        return agreement

    def _prepared(self, path: Path) -> Tensor:
        options = self.processor.image_processor
        return prepared_pixels(original_pixels(read_image(path), options), options)[None].to(torch.float32)


def _save_image_settings(processor: Sam2Processor, folder: Path) -> None:
    """Write `preprocessor_config.json` with the class that transformers.js opens it as."""
    options = processor.image_processor
    settings = {**options.to_dict(), "processor_class": type(processor).__name__}
    with written_whole(folder / options.settings_file) as unfinished:
        unfinished.write_text(json.dumps(settings, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _with_differences(manifest: Manifest, report: ExportReport) -> dict[str, GraphEntry]:
    """Return the graphs of a manifest with the largest difference in each runtime."""
    entries = dict(manifest.graphs)
    for each in report.differences:
        entry = entries[each.graph]
        largest = max(each.largest, entry.differences.get(each.runtime.value, 0.0))
        entries[each.graph] = replace(entry, differences={**entry.differences, each.runtime.value: largest})
    return entries
