"""Logits to results: the masks that post-processing makes, without all of them at once."""

import math
from typing import Any

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from masklet.processing.post_processing import post_process_masks
from masklet.processing.results import begun_segmentation

SIZE = (90, 120)


class LargestTensor(TorchDispatchMode):
    """Notes the most elements that any tensor made meanwhile has."""

    def __init__(self) -> None:
        super().__init__()
        self.elements = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        for each in made if isinstance(made, tuple | list) else (made,):
            if isinstance(each, torch.Tensor):
                self.elements = max(self.elements, each.numel())
        return made


def test_masks_are_those_of_post_processing() -> None:
    logits = torch.randn(5, 8, 8, generator=torch.Generator().manual_seed(0))
    found = begun_segmentation(logits, torch.arange(5.0), (1, 2, 3, 4, 9), SIZE)()
    np.testing.assert_array_equal(found.masks, post_process_masks([logits[:, None]], [SIZE])[0][:, 0].numpy())
    assert found.low_resolution_logits is not None
    np.testing.assert_array_equal(found.low_resolution_logits, logits.numpy())
    assert found.object_ids == (1, 2, 3, 4, 9)


def test_no_two_masks_are_enlarged_at_once() -> None:
    with LargestTensor() as largest:
        begun_segmentation(torch.randn(5, 8, 8), torch.ones(5), range(1, 6), SIZE)()
    assert largest.elements == math.prod(SIZE)
