"""What "the same numbers" means in the parity tests."""

from collections.abc import Sequence

import torch
from torch import Tensor

TOLERANCE = 1e-4  # of the largest magnitude of the reference's tensor


def relative_difference(actual: Tensor, expected: Tensor) -> float:
    """Largest absolute difference, as a share of the reference's largest magnitude."""
    return float((actual.double() - expected.double()).abs().max() / expected.double().abs().max())


def assert_agrees(actual: Tensor, expected: Tensor, name: str = "tensor", tolerance: float = TOLERANCE) -> None:
    assert actual.shape == expected.shape, (
        f"{name}: shape {tuple(actual.shape)}, the reference has {tuple(expected.shape)}"
    )
    assert torch.isfinite(actual).all(), f"{name}: not finite"
    difference = relative_difference(actual, expected)
    assert difference <= tolerance, f"{name}: differs by {difference:.2e} of the largest value, allowed {tolerance:.0e}"


def assert_all_agree(actual: Sequence[Tensor], expected: Sequence[Tensor], name: str) -> None:
    assert len(actual) == len(expected), f"{name}: {len(actual)} tensors, the reference has {len(expected)}"
    for index, (ours, theirs) in enumerate(zip(actual, expected, strict=True)):
        assert_agrees(ours, theirs, f"{name}[{index}]")
