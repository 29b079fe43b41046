"""The released sizes; one image each, because these take minutes on two cores."""

from collections.abc import Callable

import pytest
from tests.parity.agreement import assert_agrees, assert_all_agree
from tests.parity.conftest import Trio
from tests.parity.prompts import COMMON_KINDS, for_meta

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("name", "image_size"), [("tiny", 1024), ("tiny", 512), ("base_plus", 1024)])
def test_released_sizes_against_both_references(
    trio_of: Callable[[str, int], Trio], name: str, image_size: int
) -> None:
    trio = trio_of(name, image_size)
    pixels = trio.pixels[:1]
    ours = trio.masklet.get_image_embeddings(pixels)
    theirs = trio.transformers.get_image_embeddings(pixels)
    meta = trio.meta.encode(pixels)
    assert_all_agree(ours, theirs, "embeddings (transformers)")
    assert_all_agree(ours, meta, "embeddings (Meta)")
    for kind, make in COMMON_KINDS.items():
        prompts = {key: value[:1] for key, value in make(image_size).items()}
        for multimask_output in (True, False):
            outputs = trio.masklet(image_embeddings=ours, **prompts, multimask_output=multimask_output)
            reference = trio.transformers(image_embeddings=theirs, **prompts, multimask_output=multimask_output)
            logits, iou_scores, _ = trio.meta.segment(meta, **for_meta(prompts, 0), multimask_output=multimask_output)
            assert_agrees(outputs.pred_masks, reference.pred_masks, f"{kind}: logits (transformers)")
            assert_agrees(outputs.object_score_logits, reference.object_score_logits, f"{kind}: object scores")
            assert_agrees(outputs.pred_masks[0], logits, f"{kind}: logits (Meta)")
            assert_agrees(outputs.iou_scores[0], iou_scores, f"{kind}: IoU scores (Meta)")
