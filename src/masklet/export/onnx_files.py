"""Graphs to files: ONNX, and OpenVINO's own format."""

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from masklet.errors import InvalidInputError
from masklet.export.graphs import Graph
from masklet.runtimes.compiled import check_torch
from masklet.runtimes.openvino import openvino_module

OPSET = 18
_MARK = ("exported_by", "masklet")  # in the file's metadata


def write_onnx(
    graph: Graph, axes: Mapping[str, tuple[int, int]], inputs: Sequence[Tensor], path: Path, opset: int = OPSET
) -> None:
    """Write a graph as one ONNX file, weights inside.

    Args:
        graph: the graph.
        axes: bounds of its axes of any size.
        inputs: to record it by, of the sizes `RECORDED`.
        path: of the file.
        opset: 18 is what programs in the field read.

    Raises:
        InvalidInputError: where the exporter is not installed, or torch is older than 2.7.
    """
    check_exporter()
    with _without_its_notes():
        program: Any = torch.onnx.export(
            graph.exported(axes, inputs),
            (),
            dynamo=True,
            opset_version=opset,
            dynamic_shapes=graph.dynamic_shapes(str),
            input_names=[each.name for each in graph.inputs],
            output_names=[each.name for each in graph.outputs],
            verbose=False,
        )
        found = [each.name for each in program.model.graph.inputs]
        if found != [each.name for each in graph.inputs]:
            raise InvalidInputError(f"The exporter wrote the graph {graph.name} with the inputs {found}.")
        program.model.metadata_props.update([_MARK])
        program.save(path, external_data=False)


def is_written_here(path: Path) -> bool:
    """Return whether a file, of whatever content, is a graph that `write_onnx` wrote."""
    from onnx import StringStringEntryProto

    key, value = _MARK
    return StringStringEntryProto(key=key, value=value).SerializeToString() in path.read_bytes()


@contextmanager
def _without_its_notes() -> Iterator[None]:
    """Silence what torch's exporter warns of and logs about itself."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def check_exporter() -> None:
    """Raise InvalidInputError, naming the extra or the version of torch, unless torch can export to ONNX here."""
    check_torch("Exporting")
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise InvalidInputError("Exporting takes onnx and onnxscript: pip install 'masklet[export]'.") from error


def write_openvino(onnx_file: Path, path: Path) -> list[Path]:
    """Convert an ONNX file to OpenVINO's format, in float32; return its two files, that of the graph first."""
    openvino = openvino_module()
    openvino.save_model(openvino.convert_model(onnx_file), path, compress_to_fp16=False)
    return [path, path.with_suffix(".bin")]
