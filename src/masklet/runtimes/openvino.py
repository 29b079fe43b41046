"""Graphs in OpenVINO, on the processor."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from queue import LifoQueue
from typing import Any

import torch

from masklet.errors import InvalidInputError
from masklet.runtimes.folder_runner import Arrays, FolderRunner
from masklet.runtimes.manifest import Manifest
from masklet.runtimes.names import Precision, RuntimeName

_TELEMETRY = "openvino_telemetry"
MOST_AT_ONCE = 2
"""Calls of a graph: the processor computes one at a time, and each has activations of its own."""


class OpenVinoRunner(FolderRunner):
    """Runs graphs compiled by OpenVINO."""

    name = RuntimeName.OPENVINO

    def __init__(self, folder: Path, manifest: Manifest, precision: Precision) -> None:
        super().__init__(folder, manifest)
        self._core = openvino_core()
        # int8 is in the graphs themselves; without a hint OpenVINO rounds to bfloat16 where the processor can.
        self._hint = "bf16" if precision is Precision.BFLOAT16 else "f32"

    def _open(self, path: Path) -> "Requests":
        options = {
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            "INFERENCE_PRECISION_HINT": self._hint,
            "PERFORMANCE_HINT": "LATENCY",
        }
        return Requests(self._core.compile_model(path, "CPU", options))

    def _outputs(self, opened: "Requests", arrays: Arrays) -> Sequence[Any]:
        with opened.one() as request:
            outputs = request.infer(arrays)
            return [outputs[place].copy() for place in range(len(outputs))]  # the next call overwrites them


class Requests:
    """What runs a compiled graph: infer requests, each for one thread at a time, made when they are first needed.

    Args:
        compiled: the graph.
    """

    def __init__(self, compiled: Any) -> None:
        self.compiled = compiled
        self._free: LifoQueue[Any] = LifoQueue()
        for _ in range(MOST_AT_ONCE):
            self._free.put(None)

    @contextmanager
    def one(self) -> Iterator[Any]:
        """Lend a request; wait for one if all are lent."""
        request = self._free.get()
        try:
            request = request or self.compiled.create_infer_request()
            yield request
        finally:
            self._free.put(request)


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
