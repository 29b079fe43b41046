"""transformers' image processor. It needs torchvision for one function, the suppression of boxes, written out here."""

import sys
from functools import cache
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor


@cache
def image_processor_class() -> type[Any]:
    """transformers' `Sam2ImageProcessor`; only what resizes pixels cannot be called."""
    pytest.importorskip("transformers", reason="make test installs it")
    boxes: Any = ModuleType("torchvision.ops.boxes")
    boxes.batched_nms = _batched_nms
    stand_ins = {name: ModuleType(name) for name in ("torchvision", "torchvision.ops")} | {boxes.__name__: boxes}
    if any(name in sys.modules for name in stand_ins):
        stand_ins = {}  # it is installed
    sys.modules.update(stand_ins)
    try:
        from transformers.models.sam2.image_processing_sam2 import Sam2ImageProcessor
    finally:
        for name in stand_ins:
            del sys.modules[name]
    kind: type[Any] = Sam2ImageProcessor
    return kind


def image_processor(**attributes: Any) -> Any:
    """One that was not initialized, with these attributes."""
    processor = image_processor_class().__new__(image_processor_class())
    vars(processor).update(attributes)
    return processor


def _batched_nms(boxes: Tensor, scores: Tensor, idxs: Tensor, iou_threshold: float) -> Tensor:
    """The greedy loop over boxes of one category."""
    assert not idxs.any()
    left: list[int] = []
    for place in scores.sort(descending=True, stable=True).indices.tolist():
        if all(_iou(boxes[place], boxes[kept]) <= iou_threshold for kept in left):
            left.append(place)
    return torch.tensor(left, dtype=torch.int64)


def _iou(first: Tensor, second: Tensor) -> float:
    sides = torch.minimum(first[2:], second[2:]) - torch.maximum(first[:2], second[:2])
    shared = sides.clamp(min=0).prod()
    union = (first[2:] - first[:2]).prod() + (second[2:] - second[:2]).prod() - shared
    return (shared / union).item() if union else 0.0
