"""Graphs in ONNX Runtime, on the processor."""

import os
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import torch
from torch import Tensor

from masklet.errors import CheckpointError, InvalidInputError
from masklet.runtimes.manifest import Manifest
from masklet.runtimes.names import RuntimeName


class OnnxRunner:
    """Runs graphs in sessions of ONNX Runtime, each opened when it is first called; sessions serve all threads.

    A graph computes in as many threads as torch did when it was opened. Its outputs are arrays that nobody else has.
    """

    name = RuntimeName.ONNXRUNTIME

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self._onnxruntime = onnxruntime_module()
        self._folder, self._manifest = folder, manifest
        self._sessions: dict[str, Any] = {}
        self._opening = Lock()

    def run(self, graph: str, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Return the outputs of a graph."""
        session = self._session(graph)
        specs = self._manifest.graphs[graph].inputs
        feed = {spec.name: array_of(each, spec.dtype) for spec, each in zip(specs, inputs, strict=True)}
        return [torch.from_numpy(each) for each in session.run(None, feed)]

    def _session(self, graph: str) -> Any:
        with self._opening:
            if graph not in self._sessions:
                path = self._manifest.opened(self._folder, graph)
                options = self._onnxruntime.SessionOptions()
                options.intra_op_num_threads = torch.get_num_threads()
                options.log_severity_level = 3  # warnings are about its own optimizations
                options.enable_mem_pattern = False  # a plan a shape: no quicker, and nearly twice the memory
                try:
                    self._sessions[graph] = self._onnxruntime.InferenceSession(
                        path, options, providers=["CPUExecutionProvider"]
                    )
                except Exception as error:  # its own kinds of errors, which share no base
                    raise CheckpointError(f"ONNX Runtime cannot open {path}: {error}") from error
            return self._sessions[graph]


def onnxruntime_module() -> Any:
    """Return the module `onnxruntime`; InvalidInputError, naming the extra, where it is not installed.

    From 1.29 on it reports to its maker from a thread of its own, unless this variable is set before it is imported. A
    value that the user set stays.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    try:
        import onnxruntime
    except ImportError as error:
        raise InvalidInputError("ONNX Runtime is not installed: pip install 'masklet[onnxruntime]'.") from error
    return onnxruntime


def array_of(tensor: Tensor, dtype: str) -> Any:
    """Return a tensor as the numpy array of a type that a graph takes."""
    return tensor.detach().to("cpu", getattr(torch, dtype)).contiguous().numpy()
