"""One trace or export serves any number of images, objects and points; sizes of the first call are nowhere in it."""

from typing import Any

import pytest
import torch
from tests.support.small_models import random_pixels, random_points, randomised, small_backbone, small_config
from torch import Tensor, nn

from masklet import Sam2Model

SHAPES = [(1, 1, 1), (2, 3, 2), (1, 1, 20), (3, 1, 4), (1, 5, 1)]  # images, objects, points

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")


def network() -> Sam2Model:
    """Few blocks, because recording takes its time a layer."""
    backbone = small_backbone(blocks_per_stage=[1, 1, 2, 1], global_attention_blocks=[3])
    config = small_config()
    config.vision_config.backbone_config = backbone
    torch.manual_seed(0)
    return randomised(Sam2Model(config))


class Masks(nn.Module):
    """What exporters wrap around a model: tensors in, tensors out."""

    def __init__(self, model: nn.Module, **options: Any) -> None:
        super().__init__()
        self.model, self.options = model, options

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        output = self.model(*tensors, **self.options)
        return output.iou_scores, output.pred_masks, output.object_score_logits


class Levels(nn.Module):
    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        output = self.encoder(pixels)
        return (*output.fpn_hidden_states, *output.fpn_position_encoding)


def clicks(batch: int, objects: int, points: int) -> tuple[Tensor, ...]:
    labels = torch.arange(batch * objects * points).view(batch, objects, points) % 2
    return random_pixels(batch=batch, seed=points), random_points(batch, objects, points), labels


def boxes_and_masks(batch: int, objects: int, points: int) -> tuple[Tensor, ...]:
    pixels, coordinates, labels = clicks(batch, objects, points)
    boxes = torch.tensor([10.0, 20, 60, 80]) + torch.arange(batch * objects).view(batch, objects, 1)
    masks = torch.linspace(-4, 4, batch * objects * 24**2).view(batch, objects, 24, 24)
    return pixels, coordinates, labels, boxes, masks


def assert_equal(graph: Any, module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    for recorded, expected in zip(graph(*inputs), module(*inputs), strict=True):
        torch.testing.assert_close(recorded, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("first", "draws_boxes"), [((1, 1, 1), True), ((2, 3, 2), False)])
@torch.no_grad()
def test_a_trace_serves_every_number_of_clicks(first: tuple[int, int, int], draws_boxes: bool) -> None:
    model = Masks(network())
    model.model.prompt_encoder.config.draws_boxes = draws_boxes
    traced = torch.jit.trace(model, clicks(*first), check_trace=False)
    for shape in SHAPES:
        assert_equal(traced, model, clicks(*shape))
    if draws_boxes:  # two points that are the corners of a box
        pixels, points, _ = clicks(1, 2, 2)
        assert_equal(traced, model, (pixels, points.sort(2).values, torch.tensor([[[2, 3]] * 2])))


@torch.no_grad()
def test_a_trace_of_boxes_and_masks_serves_every_number_of_them() -> None:
    model = Masks(network(), multimask_output=False)
    traced = torch.jit.trace(model, boxes_and_masks(1, 1, 1), check_trace=False)
    for shape in SHAPES:
        assert_equal(traced, model, boxes_and_masks(*shape))


@torch.no_grad()
def test_a_trace_of_the_vision_encoder_serves_every_batch() -> None:
    encoder = Levels(network().vision_encoder)
    traced = torch.jit.trace(encoder, random_pixels())
    for batch in (1, 3):
        assert_equal(traced, encoder, (random_pixels(batch=batch, seed=1),))


@torch.no_grad()
def test_an_export_serves_every_number_of_clicks() -> None:
    """From the levels of an image on: the other half takes no prompts."""

    class Decoded(Masks):
        def forward(self, fine: Tensor, middle: Tensor, coarse: Tensor, *clicks: Tensor) -> tuple[Tensor, ...]:
            self.options = {"image_embeddings": [fine, middle, coarse]}
            return super().forward(None, *clicks)

    def inputs(*shape: int) -> tuple[Tensor, ...]:
        pixels, *prompts = clicks(*shape)
        return *model.get_image_embeddings(pixels), *prompts

    model, any_size = network(), torch.export.Dim.DYNAMIC
    sizes = (*[{0: any_size}] * 3, ({0: any_size, 1: any_size, 2: any_size},) * 2)
    exported = torch.export.export(Decoded(model), inputs(2, 3, 4), dynamic_shapes=sizes, strict=False).module()
    for shape in SHAPES:
        assert_equal(exported, Decoded(model), inputs(*shape))
