"""The dictionary that processors return."""

import numpy as np
import pytest
import torch

from masklet.errors import InvalidInputError
from masklet.processing.batch import BatchFeature


def batch(**more: object) -> BatchFeature:
    return BatchFeature(
        {"pixel_values": torch.zeros(1, 3, 2, 2), "labels": torch.ones(1, 2, dtype=torch.int64), **more}
    )


def test_keys_are_attributes() -> None:
    assert batch().pixel_values is not None
    assert batch(pixel_values=3)["pixel_values"] == 3
    assert "labels" in batch()
    with pytest.raises(AttributeError, match=r"'pixels' among the inputs.*pixel_values"):
        _ = batch().pixels
    with pytest.raises(KeyError):
        _ = batch()["pixels"]


@pytest.mark.parametrize("arguments", [(torch.float16,), ("cpu", torch.float16), (torch.device("cpu"), torch.float16)])
def test_a_dtype_casts_floating_tensors_only_and_in_place(arguments: tuple[object, ...]) -> None:
    inputs = batch(frames=[torch.zeros(2), torch.ones(2, dtype=torch.bool)], name="x")
    assert inputs.to(*arguments) is inputs
    assert inputs.pixel_values.dtype == inputs.frames[0].dtype == torch.float16
    assert inputs.labels.dtype == torch.int64
    assert inputs.frames[1].dtype == torch.bool
    assert inputs.name == "x"


def test_a_device_moves_everything_and_keeps_dtypes() -> None:
    inputs = batch().to(device="meta")
    assert {tensor.device.type for tensor in inputs.values()} == {"meta"}
    assert inputs.pixel_values.dtype == torch.float32


def test_a_dtype_before_the_device_is_an_error_as_in_torch() -> None:
    with pytest.raises(TypeError):
        batch().to(torch.bfloat16, "cpu")


def test_tensor_types() -> None:
    data = {"sizes": [(1, 2), (3, 4)], "frames": [torch.zeros(2), torch.ones(2)]}
    assert BatchFeature(data)["sizes"] == [(1, 2), (3, 4)]
    tensors = BatchFeature(data, "pt")
    assert tensors.sizes.dtype == torch.int64
    assert tensors.frames.tolist() == [[0, 0], [1, 1]]
    arrays = BatchFeature(data, "np")
    assert isinstance(arrays.frames, np.ndarray)
    np.testing.assert_array_equal(arrays.sizes, [[1, 2], [3, 4]])
    with pytest.raises(InvalidInputError, match="'tf'"):
        BatchFeature(data, "tf")
    with pytest.raises(InvalidInputError, match=r"frames of different shapes \[\(2,\), \(3,\)\]"):
        BatchFeature({"frames": [torch.zeros(2), torch.ones(3)]}, "pt")


def test_conversion_after_the_call() -> None:
    inputs = BatchFeature({"original_sizes": [(3, 4), (5, 6)]})
    assert inputs.data is inputs
    assert inputs.convert_to_tensors("pt").original_sizes.tolist() == [[3, 4], [5, 6]]
    assert isinstance(inputs.convert_to_tensors("np")["original_sizes"], np.ndarray)
    with pytest.raises(InvalidInputError, match="got 'tf'"):
        inputs.convert_to_tensors("tf")
