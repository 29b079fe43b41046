"""The image encoder in int8: weights and activations of its convolutions and linear layers."""

from collections.abc import Iterable, Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from torch import Tensor

from masklet.runtimes.onnx import onnxruntime_module

PERCENTILE = 99.99  # of activations: what lies outside is clipped


def quantize(path: Path, images: Iterable[Tensor]) -> None:
    """Replace an ONNX file of the image encoder by one in int8.

    Products of two activations, as in attention, stay in float32.

    Args:
        path: of the file, in float32.
        images: prepared ones [1, 3, S, S], whose activations give the ranges.
    """
    onnxruntime_module()
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with TemporaryDirectory(dir=path.parent) as place:
        prepared, rounded = Path(place) / "prepared.onnx", Path(place) / "rounded.onnx"
        quant_pre_process(path, prepared, skip_symbolic_shape=True)
        with redirect_stdout(StringIO()):  # it prints what it is doing
            quantize_static(
                prepared,
                rounded,
                _Images(images),
                quant_format=QuantFormat.QDQ,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                per_channel=True,
                op_types_to_quantize=["Conv", "MatMul", "Gemm"],
                calibrate_method=CalibrationMethod.Percentile,
                extra_options={"MatMulConstBOnly": True, "CalibPercentile": PERCENTILE},
            )
        rounded.replace(path)


class _Images:
    """What ONNX Runtime reads inputs from."""

    def __init__(self, images: Iterable[Tensor]) -> None:
        self._images: Iterator[Tensor] = iter(images)

    def get_next(self) -> dict[str, np.ndarray[Any, Any]] | None:
        """Return the next inputs, or None."""
        image = next(self._images, None)
        return None if image is None else {"pixel_values": image.numpy()}
