"""The references' own image encoders as ONNX graphs, in the runtimes that masklet's graphs run in.

Written once into the folder of weights: pixels to the three levels that the decoder reads, as their users export them.
"""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.opponents import Meta, Opponent, Transformers
from masklet.atomic_files import written_whole
from masklet.runtimes.onnx import onnxruntime_module
from masklet.runtimes.openvino import openvino_core

OPSET = 18
REFERENCES = {"transformers": Transformers, "meta": Meta}


class ReferenceEncoder:
    """An encoder's graph in a runtime, in as many threads as torch has when it is opened. Decodes nothing.

    Args:
        weights: the folder.
        reference: whose encoder.
        runtime: "onnxruntime" or "openvino".
        precision: of OpenVINO, "f32" or "bf16".
    """

    def __init__(self, weights: Path, reference: str, runtime: str, precision: str = "f32") -> None:
        path = weights / f"{reference}_encoder.onnx"
        if not path.exists():
            _write(REFERENCES[reference](weights), path)
        self._run = _in_onnxruntime(path) if runtime == "onnxruntime" else _in_openvino(path, precision)

    def encode(self, pixels: Tensor) -> list[Tensor]:
        """Pixels (1, 3, S, S) to the three levels that the decoder reads."""
        return [torch.from_numpy(np.array(level)) for level in self._run(pixels.numpy())]


class _Encoder(nn.Module):
    def __init__(self, reference: Any) -> None:
        super().__init__()
        self.model = reference.model
        self._encode = reference.encode

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        return tuple(self._encode(pixels))


def _write(reference: Opponent, path: Path) -> None:
    pixels = torch.zeros(1, 3, reference.image_size, reference.image_size)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program: Any = torch.onnx.export(
            _Encoder(reference).eval(), (pixels,), dynamo=True, opset_version=OPSET, verbose=False
        )
    with written_whole(path) as unfinished:
        program.save(unfinished, external_data=False)


def _in_onnxruntime(path: Path) -> Any:
    library = onnxruntime_module()
    options = library.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = torch.get_num_threads(), 3
    session = library.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    (pixels,) = session.get_inputs()
    return lambda values: session.run(None, {pixels.name: values})


def _in_openvino(path: Path, precision: str) -> Any:
    options = {
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "INFERENCE_PRECISION_HINT": precision,
        "PERFORMANCE_HINT": "LATENCY",
    }
    request = openvino_core().compile_model(path, "CPU", options).create_infer_request()
    return lambda values: request.infer([values]).to_tuple()
