"""The network can be trained: gradients reach everything, with and without recomputation."""

import pytest
import torch
from tests.support.small_models import random_pixels, random_points, small_model
from torch import Tensor

from masklet import Sam2Model
from masklet.modeling.hiera import HieraBlock


def gradients(model: Sam2Model, **prompts: Tensor) -> dict[str, Tensor | None]:
    model.zero_grad(set_to_none=True)
    output = model(random_pixels(), **prompts)
    single = model(random_pixels(), **prompts, multimask_output=False)
    loss = sum(
        (field.square().mean() for field in (output.pred_masks, output.iou_scores, output.object_score_logits)),
        single.pred_masks.square().mean(),
    )
    loss.backward()
    return {name: parameter.grad for name, parameter in model.named_parameters()}


def test_gradients_reach_every_parameter() -> None:
    model = small_model().train()
    every_label = torch.tensor([[[0, 1, 2, 3, -1, -10]]])
    with_mask = gradients(
        model,
        input_points=random_points(1, 1, 6),
        input_labels=every_label,
        input_masks=torch.randn(1, 1, 24, 24, generator=torch.Generator().manual_seed(0)),
    )
    untouched = [name for name, gradient in with_mask.items() if gradient is None or not gradient.any()]
    assert untouched == ["prompt_encoder.no_mask_embed.weight"]
    assert gradients(model)["prompt_encoder.no_mask_embed.weight"].any()


def test_checkpointing_gives_equal_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    model = small_model().train()
    points = random_points(1, 2, 1)
    expected = gradients(model, input_points=points)
    calls, on_grid = [], HieraBlock.on_grid
    monkeypatch.setattr(HieraBlock, "on_grid", lambda *given: calls.append(None) or on_grid(*given))
    model.gradient_checkpointing_enable()
    recomputed = gradients(model, input_points=points)
    assert len(calls) == 4 * 8  # two passes, each forward and again for backward
    for name, gradient in expected.items():
        torch.testing.assert_close(recomputed[name], gradient, rtol=1e-5, atol=1e-7)
    calls.clear()
    model.gradient_checkpointing_disable()
    gradients(model, input_points=points)
    assert len(calls) == 2 * 8


def test_embeddings_without_gradients_unless_asked_for() -> None:
    model = small_model()
    assert not any(level.requires_grad for level in model.get_image_embeddings(random_pixels()))
    assert all(level.requires_grad for level in model(random_pixels()).image_embeddings)


def test_a_training_step_changes_what_the_model_says() -> None:
    """Remembered tables must not outlive an optimizer's step, fused or not."""
    for fused in (False, True):
        model = small_model()
        backbone = model.vision_encoder.backbone
        with torch.no_grad():
            before = model.get_image_embeddings(random_pixels())[2]
        optimizer = torch.optim.AdamW([backbone.pos_embed, backbone.pos_embed_window], lr=0.1, fused=fused)
        model(random_pixels()).pred_masks.sum().backward()
        optimizer.step()
        assert not torch.equal(model.get_image_embeddings(random_pixels())[2], before)


@pytest.mark.parametrize("dtype", [torch.bfloat16])
def test_autocast_training(dtype: torch.dtype) -> None:
    model = small_model().train()
    with torch.autocast("cpu", dtype=dtype):
        output = model(random_pixels(), random_points(1, 2, 1))
    output.pred_masks.float().square().mean().backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())
    assert model.vision_encoder.backbone.pos_embed.grad.any()
