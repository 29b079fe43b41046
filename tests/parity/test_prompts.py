"""Every kind of prompt, with three masks and with one, against both references."""

import pytest
import torch
from tests.parity.agreement import assert_agrees
from tests.parity.conftest import Trio
from tests.parity.prompts import COMMON_KINDS, KINDS, for_meta

MULTIMASK = pytest.mark.parametrize("multimask_output", [True, False], ids=["three masks", "one mask"])


@MULTIMASK
@pytest.mark.parametrize("kind", KINDS)
def test_prompts_against_transformers(small: Trio, kind: str, multimask_output: bool) -> None:
    prompts = KINDS[kind](small.image_size)
    ours = small.masklet(small.pixels, **prompts, multimask_output=multimask_output)
    theirs = small.transformers(small.pixels, **prompts, multimask_output=multimask_output)
    for field in ("pred_masks", "iou_scores", "object_score_logits"):
        assert_agrees(ours[field], theirs[field], field)


@MULTIMASK
@pytest.mark.parametrize("kind", COMMON_KINDS)
def test_prompts_against_meta(small: Trio, kind: str, multimask_output: bool) -> None:
    prompts = KINDS[kind](small.image_size)
    ours = small.masklet(small.pixels, **prompts, multimask_output=multimask_output)
    for image in range(len(small.pixels)):
        logits, iou_scores, object_scores = small.meta.segment(
            small.meta.encode(small.pixels[image : image + 1]),
            **for_meta(prompts, image),
            multimask_output=multimask_output,
        )
        assert_agrees(ours.pred_masks[image], logits, "mask logits")
        assert_agrees(ours.iou_scores[image], iou_scores, "IoU scores")
        assert_agrees(ours.object_score_logits[image], object_scores, "object scores")


@pytest.mark.parametrize("kind", ["padded clicks", "box and clicks", "mask and clicks"])
def test_prompt_embeddings(small: Trio, kind: str) -> None:
    prompts = KINDS[kind](small.image_size)
    sparse, dense = small.masklet.get_prompt_embeddings(**prompts)
    expected_sparse, expected_dense = small.transformers.get_prompt_embeddings(**prompts)
    assert_agrees(sparse, expected_sparse, "sparse")
    assert_agrees(dense.expand_as(expected_dense), expected_dense, "dense")


def test_a_single_mask_falls_back_where_it_is_unstable(small: Trio) -> None:
    """One mask is token 0's where it is stable and the best of the other three elsewhere; both happen here."""
    prompts = KINDS["positive and negative clicks"](small.image_size)
    single = small.masklet(small.pixels, **prompts, multimask_output=False).pred_masks
    several = small.masklet(small.pixels, **prompts, multimask_output=True)
    best = several.iou_scores.argmax(-1)[..., None, None, None].expand(-1, -1, 1, *single.shape[-2:])
    fell_back = (single - several.pred_masks.gather(2, best)).abs().amax((2, 3, 4)) < 1e-3
    assert fell_back.any(), "no mask fell back: the test compares one branch only"
    assert not fell_back.all(), "every mask fell back: the test compares one branch only"


def test_many_objects_equal_single_ones(small: Trio) -> None:
    """Chunks over the objects, if there are any, change nothing."""
    objects = 70
    points = torch.rand(1, objects, 1, 2, generator=torch.Generator().manual_seed(1)) * small.image_size
    labels = torch.ones(1, objects, 1, dtype=torch.int64)
    prompts = {"input_points": points, "input_labels": labels}
    ours = small.masklet(small.pixels[:1], **prompts)
    theirs = small.transformers(small.pixels[:1], **prompts)
    assert_agrees(ours.pred_masks, theirs.pred_masks, "pred_masks")
    assert_agrees(ours.iou_scores, theirs.iou_scores, "iou_scores")


def test_reused_image_embeddings(small: Trio) -> None:
    prompts = KINDS["box"](small.image_size)
    whole = small.masklet(small.pixels, **prompts)
    reused = small.masklet(image_embeddings=tuple(whole.image_embeddings), **prompts)
    theirs = small.transformers(image_embeddings=small.transformers.get_image_embeddings(small.pixels), **prompts)
    assert_agrees(reused.pred_masks, whole.pred_masks, "reused", tolerance=1e-6)
    assert_agrees(reused.pred_masks, theirs.pred_masks, "transformers")
