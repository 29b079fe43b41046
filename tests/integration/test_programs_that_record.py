"""Programs that look inside the network or record it: hidden states, hooks, traces, exports, compiled graphs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.support.both_imports import Program, assert_runs_alike, image
from torch import Tensor, nn

pytestmark = pytest.mark.filterwarnings(
    "ignore::FutureWarning",
    "ignore::DeprecationWarning",
    "ignore::UserWarning",
    "ignore::torch.jit.TracerWarning",
)

POINTS = torch.tensor([[[[30.0, 20]], [[10, 50]]]])
LABELS = torch.tensor([[[1], [1]]])


def opened(sam2: Any) -> tuple[Any, Tensor]:
    processor = sam2.Sam2Processor.from_pretrained(sam2.CHECKPOINT)
    model = sam2.Sam2Model.from_pretrained(sam2.CHECKPOINT)
    return model, processor(images=image(), return_tensors="pt")["pixel_values"]


def watched(model: nn.Module, name: str, run: Callable[[], Any]) -> list[Any]:
    """What a part of the network returns while a program runs."""
    seen: list[Any] = []
    hook = model.get_submodule(name).register_forward_hook(lambda module, given, output: seen.append(output))
    with torch.no_grad():
        run()
    hook.remove()
    return seen


def hidden_states_and_attentions(sam2: Any) -> Any:
    model, pixels = opened(sam2)
    with torch.no_grad():
        outputs = model(pixels, POINTS, LABELS, output_hidden_states=True, output_attentions=True)
    return (
        list(outputs.vision_hidden_states),
        [attention.flatten() for attention in outputs.vision_attentions],
        [attention.flatten() for attention in outputs.mask_decoder_attentions],
    )


def layers_that_are_watched(sam2: Any) -> Any:
    """What linear layers, norms, convolutions and blocks give, one call each, with everything in it."""
    model, pixels = opened(sam2)
    names = [
        "vision_encoder.backbone.patch_embed.projection",
        "vision_encoder.backbone.blocks.0",
        "vision_encoder.backbone.blocks.1.attn.qkv",
        "vision_encoder.backbone.blocks.2",
        "vision_encoder.backbone.blocks.3.mlp.proj_in",
        "vision_encoder.backbone.blocks.5.layer_norm2",
        "vision_encoder.neck.convs.0",
        "vision_encoder.neck.convs.3",
        "mask_decoder.conv_s0",
        "mask_decoder.conv_s1",
        "mask_decoder.upscale_conv1",
        "mask_decoder.upscale_layer_norm",
        "mask_decoder.upscale_conv2",
    ]
    return [watched(model, name, lambda: model(pixels, POINTS, LABELS)) for name in names]


def projections_that_are_watched(sam2: Any) -> Any:
    """Of attention, whose layout is each implementation's own: the numbers in it."""
    model, pixels = opened(sam2)
    block = "mask_decoder.transformer.layers.0"
    names = [f"{block}.{part}" for part in ("self_attn.q_proj", "cross_attn_token_to_image.q_proj", "mlp.proj_in")]
    names.append("mask_decoder.transformer.final_attn_token_to_image.o_proj")
    seen = {name: watched(model, name, lambda: model(pixels, POINTS, LABELS)) for name in names}
    return {name: [output.flatten() for output in outputs] for name, outputs in seen.items()}


def parts_that_are_watched(sam2: Any) -> Any:
    model, pixels = opened(sam2)
    encoded = watched(model, "vision_encoder", lambda: model(pixels, POINTS, LABELS))
    stages = watched(model, "vision_encoder.backbone", lambda: model.get_image_embeddings(pixels))
    sparse, dense = watched(model, "prompt_encoder", lambda: model(pixels, POINTS, LABELS))[0]
    return (
        [each.last_hidden_state for each in encoded],
        list(stages[0].intermediate_hidden_states),
        sparse,
        dense,
        [len(watched(model, name, lambda: model(pixels, POINTS))) for name in ("vision_encoder.neck", "mask_decoder")],
    )


def a_layer_that_is_changed_on_the_way(sam2: Any) -> Any:
    """Activation patching."""
    model, pixels = opened(sam2)
    results = []
    names = ["mask_decoder.upscale_conv1", "vision_encoder.neck.convs.3", "vision_encoder.backbone.blocks.2"]
    for name in [*names, "mask_decoder.transformer.layers.1.cross_attn_token_to_image.v_proj"]:
        hook = model.get_submodule(name).register_forward_hook(lambda module, given, output: 0.5 * output)
        with torch.no_grad():
            results.append(model(pixels, POINTS, LABELS).pred_masks)
        hook.remove()
    return results


def gradients_that_are_watched(sam2: Any) -> Any:
    """Grad-CAM: what flows back into a layer."""
    model, pixels = opened(sam2)
    seen = []
    for name in ("vision_encoder.neck.convs.1", "mask_decoder.conv_s1", "vision_encoder.backbone.blocks.4"):
        hook = model.get_submodule(name).register_full_backward_hook(
            lambda module, given, output: seen.append(output[0])
        )
        model(pixels, POINTS, LABELS, multimask_output=False).pred_masks.mean().backward()
        hook.remove()
    return seen


def replaced_layers(sam2: Any) -> Any:
    """Layers in eight bits, and one around another."""

    class Halved(nn.Module):
        def __init__(self, layer: nn.Module) -> None:
            super().__init__()
            self.layer = layer

        def forward(self, x: Tensor) -> Tensor:
            return 0.5 * self.layer(x)

    model, pixels = opened(sam2)
    with torch.no_grad():
        quantised = torch.ao.quantization.quantize_dynamic(model.mask_decoder.transformer, {nn.Linear})
        plain = model(pixels, POINTS, LABELS).pred_masks
        model.mask_decoder.transformer = quantised
        rounded = model(pixels, POINTS, LABELS).pred_masks
        model, _ = opened(sam2)
        model.mask_decoder.upscale_conv2 = Halved(model.mask_decoder.upscale_conv2)
        block = model.vision_encoder.backbone.blocks[2]
        block.mlp.proj_out = Halved(block.mlp.proj_out)
        halved = model(pixels, POINTS, LABELS).pred_masks
    return bool(0 < (rounded - plain).abs().max() < 0.5 * plain.abs().max()), halved


class Masks(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixels: Tensor, points: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        outputs = self.model(pixel_values=pixels, input_points=points, input_labels=labels)
        return outputs.iou_scores, outputs.pred_masks


def a_trace(sam2: Any) -> Any:
    model, pixels = opened(sam2)
    with torch.no_grad():
        traced = torch.jit.trace(Masks(model), (pixels, POINTS, LABELS), check_trace=False)
        return traced(pixels.flip(3), POINTS + 5, LABELS)


def a_trace_of_the_image_encoder(sam2: Any) -> Any:
    """With torch's own check, which runs it again."""

    class Levels(nn.Module):
        def __init__(self, encoder: nn.Module) -> None:
            super().__init__()
            self.encoder = encoder

        def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
            return tuple(self.encoder(pixels).fpn_hidden_states)

    model, pixels = opened(sam2)
    with torch.no_grad():
        return torch.jit.trace(Levels(model.vision_encoder), (pixels,))(pixels.flip(3))


def an_export(sam2: Any) -> Any:
    model, pixels = opened(sam2)
    with torch.no_grad():
        exported = torch.export.export(model, (pixels,), strict=False).module()
        outputs = exported(pixels.flip(3))
    return outputs.pred_masks, outputs["iou_scores"]


def one_graph(sam2: Any) -> Any:
    """Through torch's compiler without generating code: `fullgraph` allows no break."""
    torch._dynamo.reset()
    model, pixels = opened(sam2)
    compiled = torch.compile(model, backend="eager", fullgraph=True)
    with torch.no_grad():
        return compiled(pixels, POINTS, LABELS).pred_masks


PROGRAMS: list[Program] = [
    hidden_states_and_attentions,
    layers_that_are_watched,
    projections_that_are_watched,
    parts_that_are_watched,
    a_layer_that_is_changed_on_the_way,
    gradients_that_are_watched,
    replaced_layers,
    a_trace,
    a_trace_of_the_image_encoder,
    an_export,
    one_graph,
]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_another_import(program: Program, hub_folder: Path) -> None:
    assert_runs_alike(program, hub_folder)
