"""The backbone against its plain statement, in float64."""

import pytest
import torch
from tests.support.small_models import (
    OPEN_WINDOWS,
    TILING_WINDOWS,
    random_pixels,
    randomised,
    small_backbone,
)
from tests.unit.modeling.plain_hiera import plain_positions, plain_stages, pooled

from masklet import Sam2HieraDetModel
from masklet.modeling.hiera import BlockShape, HieraBlock, block_shapes, max_pool_2x2
from masklet.modeling.windows import Grid


def backbone(windows: list[int] = OPEN_WINDOWS) -> Sam2HieraDetModel:
    return randomised(Sam2HieraDetModel(small_backbone(windows))).double()


@pytest.mark.parametrize(
    ("height", "width", "windows"),
    [
        (128, 128, TILING_WINDOWS),  # every stage stays in windows
        (128, 128, OPEN_WINDOWS),  # 8 and 4 tile, 14 and 7 pad
        (96, 160, OPEN_WINDOWS),  # 3 and 5 windows: none tiles at the deeper stages
        (96, 160, TILING_WINDOWS),
        (32, 32, OPEN_WINDOWS),  # grids smaller than the windows
    ],
)
def test_every_stage_equals_the_plain_statement(height: int, width: int, windows: list[int]) -> None:
    model = backbone(windows)
    pixels = torch.randn(2, 3, height, width, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        output = model(pixels, output_hidden_states=True)
    expected = plain_stages(model, pixels)
    for stage, end in zip(output.intermediate_hidden_states, model.stage_ends, strict=True):
        torch.testing.assert_close(stage, expected[end], rtol=1e-9, atol=1e-9)
    assert len(output.hidden_states) == len(expected) + 1
    for state, block_output in zip(output.hidden_states[1:], expected, strict=True):
        torch.testing.assert_close(state, block_output, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(output.last_hidden_state, expected[-1], rtol=1e-9, atol=1e-9)


def test_results_do_not_depend_on_gradients_being_kept() -> None:
    model, pixels = backbone(), random_pixels(96).double()
    kept = model(pixels).last_hidden_state
    with torch.inference_mode():
        torch.testing.assert_close(model(pixels).last_hidden_state, kept, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("height", "width"), [(16, 16), (24, 40), (10, 6)])
def test_positions(height: int, width: int) -> None:
    model = backbone()
    with torch.no_grad():
        torch.testing.assert_close(model.positions(height, width), plain_positions(model, height, width))


def test_shapes_of_the_released_tiny_blocks() -> None:
    """Windows per block as published: a stage's first block still has the windows of the stage before it."""
    from masklet.configuration import preset

    shapes = block_shapes(preset("tiny").vision_config.backbone_config)
    assert [shape.window for shape in shapes] == [8, 8, 4, 4, 14, 0, 14, 0, 14, 0, 14, 7]
    assert [index for index, shape in enumerate(shapes) if shape.pools] == [1, 3, 10]
    assert [shape.out_width for shape in shapes] == [96] + [192] * 2 + [384] * 7 + [768] * 2
    assert [shape.heads for shape in shapes] == [1] + [2] * 2 + [4] * 7 + [8] * 2


def test_attention_outputs_are_windows_as_in_the_reference() -> None:
    with torch.no_grad():
        output = backbone()(random_pixels(96, batch=2).double(), output_attentions=True)
    assert len(output.attentions) == 8
    assert output.attentions[0].shape == (2 * 3 * 3, 8, 8, 8)
    assert output.attentions[4].shape == (2, 6, 6, 32)  # global: not in windows


def test_pooling_is_max_pooling_and_drops_an_odd_edge() -> None:
    x = torch.randn(2, 7, 6, 3, generator=torch.Generator().manual_seed(0))
    assert torch.equal(max_pool_2x2(x), pooled(x))


def test_stochastic_depth_drops_branches_in_training_only() -> None:
    model = randomised(Sam2HieraDetModel(small_backbone(drop_path_rate=0.9)))
    pixels = random_pixels(64)
    with torch.no_grad():
        assert torch.equal(model(pixels).last_hidden_state, model(pixels).last_hidden_state)
        model.train()
        assert not torch.equal(model(pixels).last_hidden_state, model(pixels).last_hidden_state)
    assert [block.drop_path.rate for block in model.blocks] == pytest.approx([0.9 * i / 7 for i in range(8)])


def test_stochastic_depth_leaves_whole_images_out_and_keeps_the_mean() -> None:
    """Also where tokens are stored as windows, several an image."""
    torch.manual_seed(0)
    block = HieraBlock(small_backbone(), BlockShape(8, 8, 1, window=8, pools=False, drop_path=0.75)).train()
    x, grid = torch.randn(64 * 4, 8, 8, 8), Grid(16, 16, window=8)  # 64 images of 4 windows
    with torch.no_grad():
        block.mlp.proj_out.weight.zero_()
        block.mlp.proj_out.bias.zero_()
        whole = block.eval().on_grid(x, grid)[0] - x
        left = block.train().on_grid(x, grid)[0] - x
    shares = (left.flatten(1).norm(dim=1) / whole.flatten(1).norm(dim=1)).round(decimals=3).view(64, 4)
    assert torch.equal(shares, shares[:, :1].expand(-1, 4))
    assert set(shares.flatten().tolist()) == {0.0, 4.0}
    assert 0.1 < (shares[:, 0] > 0).float().mean() < 0.4
