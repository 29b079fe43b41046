"""Parts that programs call themselves: prompt encoder, mask decoder, image features, pixels of another dtype."""

import pytest
import torch
from tests.parity.agreement import assert_agrees, assert_all_agree
from tests.parity.conftest import Trio
from torch import Tensor, nn

POINTS = torch.tensor([[[[30.0, 40], [90, 20]], [[64, 64], [10, 100]]]]).expand(2, -1, -1, -1)
LABELS = torch.tensor([[[1, 0], [1, -10]]]).expand(2, -1, -1)
BOXES = torch.tensor([[[5.0, 10, 90, 100], [40, 30, 120, 60]]]).expand(2, -1, -1)


def by_hand(model: nn.Module, pixels: Tensor, multimask_output: bool) -> tuple[Tensor, ...]:
    """What exporters and fine-tuning programs do: the three parts one after another."""
    fine, middle, deepest = model.get_image_embeddings(pixels)
    sparse, dense = model.prompt_encoder(input_points=POINTS, input_labels=LABELS, input_boxes=None, input_masks=None)
    outputs: tuple[Tensor, ...] = model.mask_decoder(
        image_embeddings=deepest,
        image_positional_embeddings=model.get_image_wide_positional_embeddings().repeat(len(pixels), 1, 1, 1),
        sparse_prompt_embeddings=sparse,
        dense_prompt_embeddings=dense,
        multimask_output=multimask_output,
        high_resolution_features=[fine, middle],
        attention_similarity=None,
        target_embedding=None,
    )
    return outputs


@pytest.mark.parametrize("multimask_output", [True, False])
def test_masks_of_parts_called_one_after_another(small: Trio, multimask_output: bool) -> None:
    ours = by_hand(small.masklet, small.pixels, multimask_output)
    together = small.masklet(small.pixels, input_points=POINTS, input_labels=LABELS, multimask_output=multimask_output)
    assert_agrees(ours[0], together.pred_masks, "masks of the parts and of the whole")
    theirs = by_hand(small.transformers, small.pixels, multimask_output)
    assert_all_agree(ours, theirs, "masks, IoUs, tokens, object scores")


@pytest.mark.parametrize("prompts", ["points", "boxes", "points and boxes", "masks"])
def test_prompt_encoder(small: Trio, prompts: str) -> None:
    given = {
        "input_points": POINTS if "points" in prompts else None,
        "input_labels": LABELS if "points" in prompts else None,
        "input_boxes": BOXES if "boxes" in prompts else None,
        "input_masks": torch.randn(2, 1, 32, 32) if prompts == "masks" else None,
    }
    ours, theirs = (model.prompt_encoder(**given) for model in (small.masklet, small.transformers))
    assert (ours[0] is None) == (theirs[0] is None) == (prompts == "masks")
    if ours[0] is not None:
        assert_agrees(ours[0], theirs[0], "sparse")
    assert_agrees(ours[1], theirs[1], "dense")
    for name in ("image_embedding_size", "mask_input_size"):
        assert getattr(small.masklet.prompt_encoder, name) == getattr(small.transformers.prompt_encoder, name)


def test_image_features(small: Trio) -> None:
    ours, theirs = (model.get_image_features(small.pixels) for model in (small.masklet, small.transformers))
    assert_all_agree(ours.fpn_hidden_states, theirs.fpn_hidden_states, "levels")
    positions = [each.expand(-1, len(small.pixels), -1) for each in ours.fpn_position_encoding]
    assert_all_agree(positions, theirs.fpn_position_encoding, "positions")
    assert_agrees(ours.last_hidden_state, theirs.last_hidden_state, "last hidden state")


def test_backbone_and_encoder_as_tuples(small: Trio) -> None:
    for path in ("vision_encoder", "vision_encoder.backbone"):
        ours, theirs = (model.get_submodule(path) for model in (small.masklet, small.transformers))
        mine, reference = (part(small.pixels, return_dict=False) for part in (ours, theirs))
        assert isinstance(mine, tuple)
        assert_agrees(mine[0], reference[0], path)
        ours.config.output_attentions = True
        try:
            attentions = ours(small.pixels).attentions
        finally:
            ours.config.output_attentions = False
        assert_all_agree(attentions, theirs(small.pixels, output_attentions=True).attentions, "attentions")


def test_half_precision_takes_pixels_as_the_processor_makes_them(small: Trio) -> None:
    models = [type(each)(each.config).to(torch.bfloat16) for each in (small.masklet, small.transformers)]
    for model, source in zip(models, (small.masklet, small.transformers), strict=True):
        model.load_state_dict(source.state_dict())
    ours, theirs = (model.eval()(small.pixels, input_points=POINTS, input_labels=LABELS) for model in models)
    assert ours.pred_masks.dtype == theirs.pred_masks.dtype == torch.bfloat16
    exact = small.masklet(small.pixels, input_points=POINTS, input_labels=LABELS).pred_masks
    assert (ours.pred_masks - exact).abs().mean() <= 1.2 * (theirs.pred_masks - exact).abs().mean()
    assert models[0].get_image_embeddings(small.pixels)[0].dtype == torch.bfloat16
