"""Graphs in OpenVINO, on the processor."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import Lock, local
from typing import Any

import torch
from torch import Tensor

from masklet.errors import CheckpointError, InvalidInputError
from masklet.runtimes.manifest import Manifest
from masklet.runtimes.names import Precision, RuntimeName
from masklet.runtimes.onnx import array_of

_TELEMETRY = "openvino_telemetry"


class OpenVinoRunner:
    """Runs graphs compiled by OpenVINO, each when it is first called.

    A graph computes in as many threads as torch did when it was compiled. Infer requests are for one thread, so each
    thread has its own; their outputs are views of memory that the next call overwrites, and are copied.
    """

    name = RuntimeName.OPENVINO

    def __init__(self, folder: Path, manifest: Manifest, precision: Precision) -> None:
        self._core = openvino_core()
        self._folder, self._manifest = folder, manifest
        # int8 is in the graphs themselves; without a hint OpenVINO rounds to bfloat16 where the processor can.
        self._hint = "bf16" if precision is Precision.BFLOAT16 else "f32"
        self._compiled: dict[str, Any] = {}
        self._compiling = Lock()
        self._of_thread = local()

    def run(self, graph: str, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Return the outputs of a graph."""
        request = self._request(graph)
        specs = self._manifest.graphs[graph].inputs
        outputs = request.infer([array_of(each, spec.dtype) for spec, each in zip(specs, inputs, strict=True)])
        return [torch.from_numpy(outputs[index]).clone() for index in range(len(outputs))]

    def _request(self, graph: str) -> Any:
        requests = vars(self._of_thread).setdefault("requests", {})
        if graph not in requests:
            requests[graph] = self._model(graph).create_infer_request()
        return requests[graph]

    def _model(self, graph: str) -> Any:
        with self._compiling:
            if graph not in self._compiled:
                path = self._manifest.opened(self._folder, graph)
                options = {
                    "INFERENCE_NUM_THREADS": torch.get_num_threads(),
                    "INFERENCE_PRECISION_HINT": self._hint,
                    "PERFORMANCE_HINT": "LATENCY",
                }
                try:
                    self._compiled[graph] = self._core.compile_model(path, "CPU", options)
                except RuntimeError as error:
                    raise CheckpointError(f"OpenVINO cannot compile {path}: {error}") from error
            return self._compiled[graph]


@cache
def openvino_core() -> Any:
    """Return the one `Core` of this process, which lives as long; InvalidInputError where OpenVINO is not installed.

    What it loads for processors gives the loading thread another stack for its signals, and frees that in the thread in
    which the last user goes. Where these are two, the next signal to the first thread would end the process.
    """
    return openvino_module().Core()


@contextmanager
def _without_telemetry() -> Iterator[None]:
    """Let OpenVINO be imported without the package by which it reports to its maker, as if that was not installed."""
    if _TELEMETRY in sys.modules:  # by a program of its own will
        yield
        return
    sys.modules[_TELEMETRY] = None  # type: ignore[assignment]  # which makes importing it fail
    try:
        yield
    finally:
        del sys.modules[_TELEMETRY]


def openvino_module() -> Any:
    """Return the module `openvino`; InvalidInputError, naming the extra, where it is not installed."""
    try:
        with _without_telemetry():
            import openvino
    except ImportError as error:
        raise InvalidInputError("OpenVINO is not installed: pip install 'masklet[openvino]'.") from error
    return openvino
