"""Points, boxes and masks to tokens."""

import math

import pytest
import torch
import torch.nn.functional as F
from tests.support.small_models import randomised
from torch import Tensor

from masklet.configuration import Sam2PromptEncoderConfig
from masklet.modeling.prompt_encoder import PromptEncoder

SIZE = 64


@pytest.fixture(scope="module")
def encoder() -> PromptEncoder:
    torch.manual_seed(0)
    config = Sam2PromptEncoderConfig(hidden_size=16, image_size=SIZE, mask_input_channels=8)
    return randomised(PromptEncoder(config)).requires_grad_(False)


def points(*each: tuple[float, float]) -> Tensor:
    return torch.tensor([[each]], dtype=torch.float32)


def labels(*each: int) -> Tensor:
    return torch.tensor([[each]])


def place(encoder: PromptEncoder, x: float, y: float) -> Tensor:
    """Fourier features of the centre of the pixel (x, y)."""
    unit = torch.tensor([(x + 0.5) / SIZE, (y + 0.5) / SIZE]) * 2 - 1
    angles = 2 * math.pi * unit @ encoder.shared_embedding.positional_embedding
    return torch.cat([angles.sin(), angles.cos()])


@pytest.mark.parametrize("label", [0, 1, 2, 3])
def test_a_point_is_its_place_plus_its_kind(encoder: PromptEncoder, label: int) -> None:
    token = encoder.sparse(points((10, 20)), labels(label), None)[0, 0, 0]
    torch.testing.assert_close(token, place(encoder, 10, 20) + encoder.point_embed.weight[label])


def test_padding_is_an_empty_token_wherever_it_lies(encoder: PromptEncoder) -> None:
    tokens = encoder.sparse(points((1, 2), (-10, -10), (30, 30)), labels(1, -10, -10), None)
    assert tokens.shape == (1, 1, 4, 16)
    assert tokens[0, 0, 0].abs().sum() > 0
    assert torch.equal(tokens[0, 0, 1:3], torch.zeros(2, 16))


def test_not_a_point_replaces_the_token(encoder: PromptEncoder) -> None:
    tokens = encoder.sparse(points((40, 2)), labels(-1), None)
    assert torch.equal(tokens[0, 0, 0], encoder.not_a_point_embed.weight[0])


def test_one_not_a_point_token_ends_every_sequence(encoder: PromptEncoder) -> None:
    box = torch.tensor([[[1.0, 2, 30, 40]]])
    for tokens, count in (
        (encoder.sparse(points((5, 5)), labels(1), None), 2),
        (encoder.sparse(None, None, box), 3),
        (encoder.sparse(points((5, 5)), labels(1), box), 4),
    ):
        assert tokens.shape[2] == count
        assert torch.equal(tokens[0, 0, -1], encoder.not_a_point_embed.weight[0])


def test_a_box_is_two_points_labelled_2_and_3(encoder: PromptEncoder) -> None:
    as_box = encoder.sparse(None, None, torch.tensor([[[3.0, 4, 30, 50]]]))
    as_points = encoder.sparse(points((3, 4), (30, 50)), labels(2, 3), None)
    torch.testing.assert_close(as_box, as_points)


def test_points_come_before_the_box(encoder: PromptEncoder) -> None:
    together = encoder.sparse(points((5, 6)), labels(0), torch.tensor([[[3.0, 4, 30, 50]]]))
    torch.testing.assert_close(together, encoder.sparse(points((5, 6), (3, 4), (30, 50)), labels(0, 2, 3), None))


def test_a_padded_box_is_two_empty_tokens_and_only_where_all_of_it_is_padding(encoder: PromptEncoder) -> None:
    boxes = torch.tensor([[[-10.0, -10, -10, -10], [-10, -10, 30, 50]]])
    tokens = encoder.sparse(None, None, boxes)
    assert torch.equal(tokens[0, 0, :2], torch.zeros(2, 16))
    torch.testing.assert_close(tokens[0, 1, 0], place(encoder, -10, -10) + encoder.point_embed.weight[2])


def test_without_a_mask_every_pixel_gets_the_no_mask_vector(encoder: PromptEncoder) -> None:
    dense = encoder.dense(None, 3)
    assert dense.shape == (3, 1, 4, 4, 16)
    assert torch.equal(dense, encoder.no_mask_embed.weight.expand(3, 1, 4, 4, 16))


def test_masks_are_embedded_one_by_one(encoder: PromptEncoder) -> None:
    masks = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    dense = encoder.dense(masks, 2)
    assert dense.shape == (2, 3, 4, 4, 16)
    for image in range(2):
        for each in range(3):
            alone = encoder.mask_embed(masks[image, each][None, None])[0].permute(1, 2, 0)
            torch.testing.assert_close(dense[image, each], alone)


@pytest.mark.parametrize("size", [(64, 64), (8, 12)])
def test_masks_of_other_sizes_are_resized_with_antialias(encoder: PromptEncoder, size: tuple[int, int]) -> None:
    masks = torch.randn(1, 1, *size, generator=torch.Generator().manual_seed(0)) * 8
    resized = F.interpolate(masks, size=(16, 16), mode="bilinear", align_corners=False, antialias=True)
    torch.testing.assert_close(encoder.dense(masks, 1), encoder.dense(resized, 1))


def test_grid_positions_are_pixel_centres(encoder: PromptEncoder) -> None:
    grid = encoder.shared_embedding.grid(4, 8)
    assert grid.shape == (4, 8, 16)
    unit = torch.tensor([(5 + 0.5) / 8, (1 + 0.5) / 4])
    torch.testing.assert_close(grid[1, 5], encoder.shared_embedding(unit))
