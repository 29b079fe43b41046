"""The references themselves: they agree with each other, and the random weights leave nothing hidden."""

import torch
from tests.parity.agreement import assert_agrees
from tests.parity.conftest import Trio
from tests.parity.prompts import KINDS, for_meta


def test_the_references_agree_with_each_other(small: Trio) -> None:
    prompts = KINDS["box and clicks"](small.image_size)
    outputs = small.transformers(small.pixels, **prompts)
    for image in range(2):
        logits, iou_scores, object_scores = small.meta.segment(
            small.meta.encode(small.pixels[image : image + 1]), **for_meta(prompts, image)
        )
        assert_agrees(outputs.pred_masks[image], logits, "mask logits")
        assert_agrees(outputs.iou_scores[image], iou_scores, "IoU scores")
        assert_agrees(outputs.object_score_logits[image], object_scores, "object scores")


def test_the_random_weights_hide_nothing(small: Trio) -> None:
    prompts = KINDS["positive and negative clicks"](small.image_size)
    first = small.transformers(small.pixels, **prompts)
    assert first.pred_masks.std() > 1
    assert (first.object_score_logits > 0).any()
    assert (first.object_score_logits < 0).any()
    other_image = small.transformers(small.pixels.flip(0), **prompts)
    assert (first.pred_masks - other_image.pred_masks).abs().max() > 1
    state = small.transformers.state_dict()
    assert all(tensor.unique().numel() > 1 for tensor in state.values() if tensor.numel() > 1), "a constant tensor"
    assert torch.equal(
        state["shared_image_embedding.positional_embedding"],
        state["prompt_encoder.shared_embedding.positional_embedding"],
    )
