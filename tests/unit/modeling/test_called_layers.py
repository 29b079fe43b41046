"""Layers that a program hooked, replaced or compiled are called: no fast path computes past them."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from tests.support.small_models import random_pixels, random_points, small_model
from tests.support.small_video_models import small_video_model
from torch import Tensor, nn
from torch.nn.utils import prune

from masklet import Sam2Model, Sam2VideoInferenceSession
from masklet.modeling import pieces
from masklet.modeling.plain_calls import is_plain, is_plain_inside

FACTOR = 1.1
COMPUTING = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d, nn.LayerNorm)
# Parts that hold others and have a `forward` of their own.
HOLDING = ("Attention", "Block", "FeedForward", "Neck", "VisionModel", "HieraDetModel", "Decoder", "Transformer")


class Enlarged(nn.Module):
    """What an adapter looks like: another module around a layer."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        return FACTOR * self.layer(x)


def segmented(model: Sam2Model) -> Tensor:
    """Masks of two images and objects, with a mask prompt: every layer of the image model is needed for them."""
    prompts = {"input_points": random_points(2, 2, 1), "input_masks": torch.linspace(-5, 5, 24 * 24).view(1, 1, 24, 24)}
    prompts["input_masks"] = prompts["input_masks"].expand(2, 2, 24, 24)
    output = model(random_pixels(batch=2), **prompts)
    return torch.cat([output.pred_masks.flatten(), output.iou_scores.flatten(), output.object_score_logits.flatten()])


def tracked(model: Any) -> Tensor:
    session = Sam2VideoInferenceSession(torch.randn(3, 3, 64, 64, generator=torch.Generator().manual_seed(0)), 64, 64)
    session.add_points(1, 0, [[20, 30]], [1])
    session.add_points(2, 0, [[40, 10]], [1])
    return torch.cat([output.pred_masks.flatten() for output in model.propagate_in_video_iterator(session)])


def small_tracker() -> Any:
    model = small_video_model(image_size=64, memory_attention_num_layers=1, num_maskmem=3)
    model.mask_decoder.pred_obj_score_head.proj_out.bias.data += 5  # the objects are there
    return model


def replace(model: nn.Module, name: str, layer: nn.Module) -> None:
    owner, _, last = name.rpartition(".")
    setattr(model.get_submodule(owner), last, layer)


def hooked_calls(
    model: nn.Module, kinds: tuple[type[nn.Module], ...], run: Callable[[Any], Tensor]
) -> tuple[Tensor, dict[str, int]]:
    """What a model gives with a hook on every layer of some kinds, and how often each of them fires."""
    calls = {name: 0 for name, layer in model.named_modules() if isinstance(layer, kinds)}
    for name, layer in model.named_modules():
        if name in calls:
            layer.register_forward_hook(lambda *_, name=name: calls.update({name: calls[name] + 1}))
    return run(model), calls


@torch.no_grad()
def test_a_hook_on_any_layer_of_the_image_model_fires_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "NUMBERS_PER_THREAD", 200)
    model = small_model()
    expected = segmented(model)
    result, calls = hooked_calls(model, COMPUTING, segmented)
    assert set(calls.values()) == {1}, {name: count for name, count in calls.items() if count != 1}
    torch.testing.assert_close(result, expected, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_a_hook_on_any_part_of_the_image_model_fires() -> None:
    model = small_model()
    expected = segmented(model)
    parts = [part for part in model.modules() if type(part).__name__.endswith(HOLDING) or part is model.prompt_encoder]
    result, calls = hooked_calls(model, tuple(map(type, parts)), segmented)
    assert len(parts) > 40
    assert set(calls.values()) == {1}, {name: count for name, count in calls.items() if count != 1}
    torch.testing.assert_close(result, expected, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_a_hook_on_any_layer_of_the_tracker_fires() -> None:
    model = small_tracker()
    expected = tracked(model)
    result, calls = hooked_calls(model, COMPUTING, tracked)
    without_mask_prompts = ("prompt_encoder.mask_embed", "mask_downsample")
    silent = [name for name, count in calls.items() if not count and not name.startswith(without_mask_prompts)]
    assert silent == []
    torch.testing.assert_close(result, expected, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(("build", "run"), [(small_model, segmented), (small_tracker, tracked)])
@torch.no_grad()
def test_every_replaced_layer_counts(build: Callable[[], Any], run: Callable[[Any], Tensor]) -> None:
    """A layer's enlarged output is what its enlarged weights give."""
    wrapped, enlarged = build(), build()
    before = run(wrapped)
    names = [name for name, layer in wrapped.named_modules() if type(layer) in COMPUTING]
    for name in names:
        for weight in enlarged.get_submodule(name).parameters():
            weight.mul_(FACTOR)
        replace(wrapped, name, Enlarged(wrapped.get_submodule(name)))
    expected = run(enlarged)
    assert not torch.allclose(before, expected, rtol=0.01)
    torch.testing.assert_close(run(wrapped), expected, rtol=1e-3, atol=1e-3)


@torch.no_grad()
def test_replaced_blocks_see_plain_rows_of_tokens() -> None:
    model = small_model()
    expected = segmented(model)
    shapes: list[torch.Size] = []

    class Watched(nn.Module):
        def __init__(self, block: nn.Module) -> None:
            super().__init__()
            self.block = block

        def forward(self, tokens: Tensor) -> Tensor:
            shapes.append(tokens.shape)
            return self.block(tokens)

    blocks = model.vision_encoder.backbone.blocks
    for number, block in enumerate(blocks):
        blocks[number] = Watched(block)
    torch.testing.assert_close(segmented(model), expected, rtol=1e-4, atol=1e-4)
    assert [tuple(shape) for shape in shapes[:3]] == [(2, 24, 24, 8), (2, 24, 24, 8), (2, 12, 12, 16)]
    output = model(random_pixels(), output_attentions=True)
    assert len(output.vision_attentions) == 8


@pytest.mark.parametrize(("build", "run"), [(small_model, segmented), (small_tracker, tracked)])
@torch.no_grad()
def test_a_replaced_image_encoder_is_called(build: Callable[[], Any], run: Callable[[Any], Tensor]) -> None:
    model = build()
    expected = run(model)
    encoder = model.vision_encoder

    class Elsewhere(nn.Module):
        def forward(self, pixel_values: Tensor, **options: Any) -> Any:
            return encoder(pixel_values, **options)

    model.vision_encoder = Elsewhere()
    torch.testing.assert_close(run(model), expected, rtol=1e-4, atol=1e-3)


@torch.no_grad()
def test_a_hook_changes_what_the_layer_gives() -> None:
    model = small_model()
    before = segmented(model)
    for name in ("vision_encoder.neck", "mask_decoder.transformer.layers.0.cross_attn_token_to_image.k_proj"):
        hook = model.get_submodule(name).register_forward_hook(
            lambda module, given, output: 0 * output if isinstance(output, Tensor) else tuple(0 * x for x in output)
        )
        assert not torch.allclose(segmented(model), before)
        hook.remove()
        assert torch.equal(segmented(model), before)


def test_pruned_layers_use_the_pruned_weights() -> None:
    """torch prunes by a hook before the call, which sets the weight."""
    model = small_model()
    name = "mask_decoder.transformer.layers.0.cross_attn_token_to_image.k_proj"
    layer = model.get_submodule(name)
    prune.l1_unstructured(layer, "weight", amount=0.5)
    with torch.no_grad():
        layer.weight_orig.add_(1.0)  # an optimizer's step
        hooked = segmented(model)
        prune.remove(layer, "weight")
        torch.testing.assert_close(segmented(model), hooked, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_compiled_layers_are_called() -> None:
    model = small_model()
    expected = segmented(model)
    compiled = []

    def backend(graph: Any, inputs: list[Tensor]) -> Any:
        compiled.append(graph)
        return graph.forward

    replace(model, "mask_decoder.conv_s0", torch.compile(model.mask_decoder.conv_s0, backend=backend))
    model.vision_encoder.neck.compile(backend=backend)  # in place
    torch.testing.assert_close(segmented(model), expected, rtol=1e-4, atol=1e-4)
    assert len(compiled) == 2


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch.jit
def test_what_is_plain() -> None:
    layer = nn.Linear(3, 3)
    assert is_plain(layer, nn.Linear)
    assert not is_plain(Enlarged(layer), nn.Linear)
    hooks = ("forward_hook", "forward_pre_hook", "full_backward_hook", "full_backward_pre_hook")
    for kind in hooks:
        hook = getattr(layer, f"register_{kind}")(lambda *_: None)
        assert not is_plain(layer, nn.Linear), kind
        assert not is_plain_inside(nn.Sequential(layer)), kind
        hook.remove()
    everywhere = nn.modules.module.register_module_forward_hook(lambda *_: None)
    assert not is_plain(layer, nn.Linear)
    everywhere.remove()
    assert is_plain(layer, nn.Linear)
    assert is_plain_inside(nn.Sequential(layer, nn.GELU()))
    assert not is_plain_inside(nn.Sequential(Enlarged(layer)))
    assert not is_plain_inside(nn.Sequential(torch.jit.trace(layer, torch.zeros(1, 3))))
    layer.forward = lambda x: x  # type: ignore[method-assign]
    assert not is_plain(layer, nn.Linear)
