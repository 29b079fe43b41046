"""PerSAM's two inputs, which only transformers takes: attention similarity and a target embedding."""

import torch
from tests.parity.agreement import assert_agrees, relative_difference
from tests.parity.conftest import Trio
from tests.parity.prompts import IMAGES, KINDS, OBJECTS


def test_attention_similarity(small: Trio) -> None:
    prompts = KINDS["one click"](small.image_size)
    image_tokens = (small.image_size // 16) ** 2
    similarity = torch.randn(IMAGES * OBJECTS, 1, 1, image_tokens, generator=torch.Generator().manual_seed(3)) * 2
    ours = small.masklet(small.pixels, **prompts, attention_similarity=similarity)
    theirs = small.transformers(small.pixels, **prompts, attention_similarity=similarity)
    assert_agrees(ours.pred_masks, theirs.pred_masks, "pred_masks")
    unguided = small.masklet(small.pixels, **prompts)
    assert relative_difference(ours.pred_masks, unguided.pred_masks) > 1e-2


def test_target_embedding(small: Trio) -> None:
    prompts = KINDS["one click"](small.image_size)
    width = small.configuration["mask_decoder_config"]["hidden_size"]
    target = torch.randn(IMAGES, 1, 1, width, generator=torch.Generator().manual_seed(4))
    ours = small.masklet(small.pixels, **prompts, target_embedding=target)
    theirs = small.transformers(small.pixels, **prompts, target_embedding=target)
    assert_agrees(ours.pred_masks, theirs.pred_masks, "pred_masks")
    unguided = small.masklet(small.pixels, **prompts)
    assert relative_difference(ours.pred_masks, unguided.pred_masks) > 1e-2
