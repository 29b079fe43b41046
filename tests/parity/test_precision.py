"""Half precision runs, stays in its type and stays near fp32."""

import copy

import pytest
import torch
from tests.parity.agreement import relative_difference
from tests.parity.conftest import Trio
from tests.parity.prompts import KINDS


@pytest.mark.parametrize(("dtype", "allowed"), [(torch.bfloat16, 0.25), (torch.float16, 0.05)])
def test_half_precision(small: Trio, dtype: torch.dtype, allowed: float) -> None:
    prompts = KINDS["box and clicks"](small.image_size) | KINDS["mask"](small.image_size)
    expected = small.masklet(small.pixels, **prompts)
    halved = {name: value.to(dtype) if value.is_floating_point() else value for name, value in prompts.items()}
    outputs = copy.deepcopy(small.masklet).to(dtype)(small.pixels.to(dtype), **halved)
    for field in ("pred_masks", "iou_scores", "object_score_logits"):
        assert outputs[field].dtype == dtype, field
        assert torch.isfinite(outputs[field]).all(), field
    assert all(level.dtype == dtype for level in outputs.image_embeddings)
    assert relative_difference(outputs.pred_masks, expected.pred_masks) < allowed


def test_prompts_in_fp32_reach_a_half_precision_model(small: Trio) -> None:
    """The processor gives float32 points whatever the model's type is."""
    prompts = KINDS["box and clicks"](small.image_size)
    model = copy.deepcopy(small.masklet).to(torch.bfloat16)
    assert model(small.pixels.to(torch.bfloat16), **prompts).pred_masks.dtype == torch.bfloat16
