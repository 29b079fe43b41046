"""Boxes as mask prompts."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.support.small_models import random_pixels, random_points, randomised, small_model
from torch import Tensor, nn

from masklet import Sam2Model
from masklet.configuration import Sam2PromptEncoderConfig
from masklet.modeling.pieces import NUMBERS_PER_THREAD
from masklet.modeling.prompt_encoder import INSIDE, OUTSIDE, PromptEncoder, box_corners, drawn
from masklet.prompts.point_labels import PADDING

SIZE = 64
BOX = [8.0, 16.0, 40.0, 30.0]


@pytest.fixture(scope="module")
def encoder() -> PromptEncoder:
    torch.manual_seed(0)
    config = Sam2PromptEncoderConfig(hidden_size=16, image_size=SIZE, mask_input_channels=8, draws_boxes=True)
    return randomised(PromptEncoder(config)).requires_grad_(False)


def boxes(*each: list[float]) -> Tensor:
    return torch.tensor([each])


def test_pixels_inside_and_outside() -> None:
    logits = drawn(boxes([1.0, 2, 3, 3]), (4, 5))[0, 0]
    assert logits.shape == (4, 5)
    inside = torch.zeros(4, 5, dtype=torch.bool)
    inside[2, 1:3] = True
    assert torch.equal(logits, torch.where(inside, INSIDE, OUTSIDE))


def test_an_edge_counts_by_what_it_covers() -> None:
    logits = drawn(boxes([0.25, 0, 1.5, 1]), (1, 3))[0, 0, 0]
    span = INSIDE - OUTSIDE
    torch.testing.assert_close(logits, torch.tensor([OUTSIDE + 0.75 * span, OUTSIDE + 0.5 * span, OUTSIDE]))


def test_a_box_beyond_the_image_is_drawn_as_far_as_it_is_seen() -> None:
    assert torch.equal(drawn(boxes([-5.0, -5, 99, 99]), (3, 3)), torch.full((1, 1, 3, 3), INSIDE))
    assert torch.equal(drawn(boxes([10.0, 10, 20, 20]), (3, 3)), torch.full((1, 1, 3, 3), OUTSIDE))


def test_two_corners_among_clicks_are_a_box() -> None:
    points = torch.tensor([[[[5.0, 5], [8, 16], [40, 30]], [[1, 1], [2, 2], [-10, -10]]]])
    labels = torch.tensor([[[1, 2, 3], [1, 0, -10]]])
    found = box_corners(points, labels, None)
    assert found is not None
    corners, has_box = found
    assert has_box.tolist() == [[True, False]]
    assert corners[0, 0].tolist() == BOX


def test_the_network_sees_the_box_as_that_mask(encoder: PromptEncoder) -> None:
    mask = drawn(boxes(BOX) / 4, (16, 16))
    assert torch.equal(encoder.dense(None, 1, boxes=boxes(BOX)), encoder.dense(mask, 1))


def test_a_box_among_clicks_is_the_same_mask_as_the_box_alone(encoder: PromptEncoder) -> None:
    """However the box is given: beside clicks, or as their first two points, as in videos."""
    clicks, labels = torch.full((1, 1, 1, 2), 20.0), torch.ones(1, 1, 1, dtype=torch.long)
    alone = encoder.dense(None, 1, boxes=boxes(BOX))
    assert torch.equal(encoder.dense(None, 1, clicks, labels, boxes(BOX)), alone)
    points = torch.cat([torch.tensor(BOX).view(1, 1, 2, 2), clicks], dim=2)
    assert torch.equal(encoder.dense(None, 1, points, torch.tensor([[[2, 3, 1]]])), alone)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_draws_the_same_pixels(dtype: torch.dtype) -> None:
    """In bfloat16 the numbers of pixels from 256 on are not all there."""
    corners = boxes([300.0, 260, 390, 280])
    assert torch.equal(drawn(corners.to(dtype), (512, 512)), drawn(corners, (512, 512)))


def test_gradients_reach_what_embeds_drawn_boxes(encoder: PromptEncoder) -> None:
    learning = copy.deepcopy(encoder).requires_grad_(True)
    learning.dense(None, 1, boxes=boxes(BOX, [-10.0] * 4)).square().sum().backward()
    for parameter in (*learning.mask_embed.parameters(), *learning.no_mask_embed.parameters()):
        assert parameter.grad is not None
        assert parameter.grad.isfinite().all()
        assert parameter.grad.any()


def test_a_mask_prompt_comes_first(encoder: PromptEncoder) -> None:
    mask = torch.randn(1, 1, 16, 16)
    assert torch.equal(encoder.dense(mask, 1, boxes=boxes(BOX)), encoder.dense(mask, 1))


@pytest.mark.parametrize("with_gradients", [False, True])
def test_objects_without_a_box_have_no_mask(encoder: PromptEncoder, with_gradients: bool) -> None:
    """Also where the shortcut for clicks alone is not taken."""
    click = torch.full((1, 1, 2, 2), 5.0), torch.ones(1, 1, 2, dtype=torch.long)
    padding = [-10.0] * 4
    with torch.set_grad_enabled(with_gradients):
        nothing = encoder.dense(None, 1)
        together = encoder.dense(None, 1, boxes=boxes(padding, BOX))
        alone = encoder.dense(None, 1, *click)
    assert torch.equal(together[:, :1], nothing)
    assert not torch.equal(together[:, 1:], nothing)
    assert torch.equal(alone, nothing)


@torch.no_grad()
def test_every_object_is_segmented_by_its_own_drawn_box() -> None:
    """Among so many that they are decoded in pieces, beside clicks, and beside padding."""
    model = small_model()
    plain = copy.deepcopy(model)
    model.config.prompt_encoder_config.draws_boxes = True
    embeddings = model.get_image_embeddings(random_pixels())
    numbers_per_piece = torch.get_num_threads() * NUMBERS_PER_THREAD
    count = numbers_per_piece // (6 * 6 * 64) + 1  # one more than fit a piece of pixels with all their channels
    each = torch.arange(count)[:, None] % 50 + torch.tensor([1.0, 2, 31, 42])
    each[3] = PADDING
    clicks = random_points(1, count, 1)

    def masks(network: Sam2Model, part: slice) -> Tensor:
        prompts = {"input_boxes": each[None, part], "input_points": clicks[:, part]}
        return network(image_embeddings=embeddings, **prompts).pred_masks[0]

    together = masks(model, slice(None))
    scale = together.abs().max()
    for number in (0, 3, count - 1):
        alone = slice(number, number + 1)
        assert (together[alone] - masks(model, alone)).abs().max() < 1e-4 * scale
        is_drawn = (together[alone] - masks(plain, alone)).abs().max() > 1e-2 * scale
        assert is_drawn == (number != 3)


def test_released_networks_do_not_draw() -> None:
    encoder = randomised(PromptEncoder(Sam2PromptEncoderConfig(hidden_size=16, image_size=SIZE)))
    assert torch.equal(encoder.dense(None, 1, boxes=boxes(BOX)), encoder.dense(None, 1))


class HasBox(nn.Module):
    """Whether objects have a box among their points."""

    def forward(self, points: Tensor, labels: Tensor) -> Tensor:
        corners = box_corners(points, labels, None)
        assert corners is not None
        return corners[1]


@pytest.mark.filterwarnings("ignore")  # of the exporter
def test_recorded_graphs_find_no_box_among_no_points(tmp_path: Path) -> None:
    """Where `any` of nothing is true, the box (0, 0, 0, 0) would be drawn."""
    pytest.importorskip("onnxscript", reason="pip install 'masklet[export]'")
    onnxruntime = pytest.importorskip("onnxruntime", reason="pip install 'masklet[onnxruntime]'")
    axes = {1: "objects", 2: "points"}
    torch.onnx.export(
        HasBox(),
        (torch.zeros(1, 2, 3, 2), torch.zeros(1, 2, 3, dtype=torch.int64)),
        tmp_path / "graph.onnx",
        input_names=["points", "labels"],
        dynamic_shapes={"points": axes, "labels": axes},
        dynamo=True,
    )
    graph = onnxruntime.InferenceSession(tmp_path / "graph.onnx", providers=["CPUExecutionProvider"])
    for labels, expected in (([], False), ([2, 3], True), ([3, 1, 2], True), ([2, 1], False)):
        marks = np.array([[labels]], np.int64).reshape(1, 1, -1)
        (found,) = graph.run(None, {"points": np.zeros((*marks.shape, 2), np.float32), "labels": marks})
        assert found.tolist() == [[expected]]
