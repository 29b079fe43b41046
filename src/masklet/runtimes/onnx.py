"""Graphs in ONNX Runtime, on the processor."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from masklet.errors import InvalidInputError
from masklet.runtimes.folder_runner import Arrays, FolderRunner
from masklet.runtimes.manifest import Manifest
from masklet.runtimes.names import RuntimeName


class OnnxRunner(FolderRunner):
    """Runs graphs in sessions of ONNX Runtime, which serve all threads and return arrays that nobody else has."""

    name = RuntimeName.ONNXRUNTIME

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        super().__init__(folder, manifest)
        self._onnxruntime = onnxruntime_module()

    def _open(self, path: Path) -> Any:
        options = self._onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 3  # warnings are about its own optimizations
        options.enable_mem_pattern = False  # a plan a shape: no quicker, and nearly twice the memory
        return self._onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def _outputs(self, opened: Any, arrays: Arrays) -> Sequence[Any]:
        outputs: Sequence[Any] = opened.run(None, arrays)
        return outputs


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
