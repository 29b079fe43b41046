"""The image encoder in int8: weights and activations of its convolutions and linear layers."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Generic, TypeVar

import numpy as np
from torch import Tensor

from masklet.runtimes.onnx import onnxruntime_module

PERCENTILE = 99.99  # of activations: what lies outside is clipped
AnyImage = TypeVar("AnyImage")


def quantize(path: Path, images: Sequence[AnyImage], prepare: Callable[[AnyImage], Tensor]) -> None:
    """Replace an ONNX file of the image encoder by one in int8.

    Products of two activations, as in attention, stay in float32.

    Args:
        path: of the file, in float32.
        images: those whose activations give the ranges.
        prepare: makes pixel values [1, 3, S, S] of one of them, when its turn comes.
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
                _Images(images, prepare),
                quant_format=QuantFormat.QDQ,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                per_channel=True,
                op_types_to_quantize=["Conv", "MatMul", "Gemm"],
                calibrate_method=CalibrationMethod.Percentile,
                extra_options={
                    "MatMulConstBOnly": True,
                    "CalibPercentile": PERCENTILE,
                    "CalibStridedMinMax": 1,  # also of percentiles: it holds all activations of so many images
                },
            )
        rounded.replace(path)


class _Images(Generic[AnyImage]):
    """What ONNX Runtime reads inputs from, some images after the other."""

    def __init__(self, images: Sequence[AnyImage], prepare: Callable[[AnyImage], Tensor]) -> None:
        self._images, self._prepare = images, prepare
        self._left: Iterator[AnyImage] = iter(images)

    def __len__(self) -> int:
        return len(self._images)

    def set_range(self, start_index: int, end_index: int) -> None:
        """Let some of the images come next."""
        self._left = iter(self._images[start_index:end_index])

    def get_next(self) -> dict[str, np.ndarray[Any, Any]] | None:
        """Return the next inputs, or None."""
        return next(({"pixel_values": self._prepare(each).numpy()} for each in self._left), None)
