"""Masks of prompts become what the network takes, one after the other."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakIdKeyDictionary

from masklet.errors import InvalidInputError
from masklet.processing.mask_prompts import mask_prompts
from masklet.processing.prompt_tensors import decoder_inputs
from masklet.prompts.prompt import Prompt

SIZE, SIDE = (120, 180), 32
PIXELS = SIZE[0] * SIZE[1]
COUNT = 16
MASKS = np.random.default_rng(0).random((COUNT, *SIZE)) > 0.6


def network(dtype: torch.dtype = torch.float32) -> Any:
    mask_size = (SIDE // 4, SIDE // 4)
    config = SimpleNamespace(prompt_encoder_config=SimpleNamespace(mask_input_size=mask_size))
    return SimpleNamespace(device=torch.device("cpu"), dtype=dtype, config=config)


class MostBytes(TorchDispatchMode):
    """Counts the bytes of all results of torch that are there at once."""

    def __init__(self) -> None:
        super().__init__()
        self.most = 0
        self._alive = WeakIdKeyDictionary()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, Tensor):
                self._alive[tensor] = tensor.untyped_storage()
        storages = {storage.data_ptr(): storage.nbytes() for storage in self._alive.values()}
        self.most = max(self.most, sum(storages.values()))
        return result


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_masks_reduced_alone_are_those_reduced_in_a_batch(dtype: torch.dtype) -> None:
    for masks, logits in ((MASKS, torch.from_numpy(MASKS) * 20.0 - 10.0), (20 * MASKS - 7.3, None)):
        found = decoder_inputs([Prompt(mask=mask) for mask in masks], SIZE, SIDE, network(dtype))["mask_logits"]
        whole = torch.from_numpy(masks).to(torch.float32) if logits is None else logits
        batch = F.interpolate(whole.to(dtype).float()[:, None], (8, 8), mode="bilinear", antialias=True)
        assert found.dtype == dtype
        assert torch.equal(found, batch[:, 0].to(dtype))


def test_memory_does_not_grow_with_masks_times_their_pixels() -> None:
    prompts = [Prompt(mask=mask) for mask in MASKS]
    for reduce in (
        lambda: decoder_inputs(prompts, SIZE, SIDE, network()),
        lambda: mask_prompts(list(MASKS), COUNT, SIZE, SIDE),
    ):
        with MostBytes() as bytes_held:
            reduce()
        assert PIXELS < bytes_held.most < COUNT * PIXELS + COUNT * SIDE * SIDE * 4  # one float is four bytes


def test_bool_masks_beside_logits_stay_certain() -> None:
    logits = np.full((16, 16), 3.0, np.float32)
    prompts = [Prompt(mask=np.ones((16, 16), bool)), Prompt(mask=logits)]
    with pytest.raises(InvalidInputError, match="16 x 16 pixels, but its image 180 x 120"):
        decoder_inputs(prompts, SIZE, SIDE, network())
    both = decoder_inputs(prompts, (16, 16), SIDE, network())["mask_logits"]
    assert [each.unique().tolist() for each in both] == [[10.0], [3.0]]
