"""Small layers against their definitions."""

import pytest
import torch
import torch.nn.functional as F
from tests.support.small_models import randomised
from torch import nn

from masklet.errors import InvalidInputError
from masklet.modeling import layers, pieces
from masklet.modeling.layers import (
    FeedForward,
    LayerNorm2d,
    activation,
    attention,
    pays_by_products,
    pointwise,
    pointwise_twice,
    times_pixels,
)


@pytest.mark.parametrize("sigmoid", [True, False])
@pytest.mark.parametrize("rows", [4, 5, 11])
def test_feed_forward_in_pieces_is_the_same(rows: int, sigmoid: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    mlp = randomised(FeedForward(6, 10, 3, 3, "gelu", sigmoid)).double()
    x = torch.randn(2, rows, 6, dtype=torch.float64)
    expected = mlp.proj_out(F.gelu(mlp.layers[0](F.gelu(mlp.proj_in(x)))))
    expected = expected.sigmoid() if sigmoid else expected
    monkeypatch.setattr(pieces, "NUMBERS_PER_THREAD", 40)
    with torch.no_grad():
        torch.testing.assert_close(mlp(x), expected)
        torch.testing.assert_close(mlp(x.transpose(0, 1)), expected.transpose(0, 1))
    torch.testing.assert_close(mlp(x), expected)


def test_feed_forward_keeps_its_gradients_whatever_the_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "NUMBERS_PER_THREAD", 20)
    mlp = FeedForward(6, 10, 3, 2)
    mlp(torch.randn(9, 6)).sum().backward()
    assert all(parameter.grad is not None for parameter in mlp.parameters())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("has_tile_units", [True, False])
@pytest.mark.parametrize("many", [1, 1000])
def test_attention_is_the_same_by_every_way(
    dtype: torch.dtype, has_tile_units: bool, many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: has_tile_units)
    monkeypatch.setattr(layers, "QUERIES_AT_A_TIME", 2)
    monkeypatch.setattr(layers, "MANY_SCORES", many)
    q, k, v = torch.randn(3, 2, 4, 5, 8, generator=torch.Generator().manual_seed(0)).to(dtype)
    expected = (q.double() @ k.double().transpose(-2, -1) / 8**0.5).softmax(-1) @ v.double()
    tolerance = {"rtol": 1e-5, "atol": 1e-6} if dtype == torch.float32 else {"rtol": 0.02, "atol": 0.02}
    torch.testing.assert_close(attention(q, k, v).double(), expected, **tolerance)
    with torch.no_grad():
        torch.testing.assert_close(attention(q, k, v).double(), expected, **tolerance)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_products_with_pixels_are_the_same_either_way_round(dtype: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(0)
    rows, pixels = (torch.randn(2, 3, n, 8, generator=generator).to(dtype) for n in (4, 50))
    expected = torch.einsum("borc,bopc->borp", rows.double(), pixels.double())
    tolerance = {"rtol": 1e-5, "atol": 1e-5} if dtype == torch.float32 else {"rtol": 0.01, "atol": 0.05}
    torch.testing.assert_close(times_pixels(rows, pixels).double(), expected, **tolerance)


@pytest.mark.parametrize(
    ("dtype", "has_tile_units", "is_training", "expected"),
    [
        (torch.float32, False, False, False),
        (torch.float32, False, True, False),
        (torch.bfloat16, True, False, False),
        (torch.bfloat16, True, True, True),
        (torch.bfloat16, False, False, True),
        (torch.float16, False, False, True),
    ],
)
def test_products_are_taken_where_the_fused_kernel_is_slow(
    dtype: torch.dtype, has_tile_units: bool, is_training: bool, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: has_tile_units)
    with torch.set_grad_enabled(is_training):
        assert pays_by_products(torch.zeros(1, dtype=dtype)) is expected


def test_pointwise_convolutions() -> None:
    first, second = randomised(nn.Conv2d(5, 7, 1)).double(), randomised(nn.Conv2d(7, 3, 1)).double()
    x = torch.randn(2, 5, 4, 6, dtype=torch.float64)
    channels_last = x.permute(0, 2, 3, 1)
    torch.testing.assert_close(pointwise(first, channels_last).permute(0, 3, 1, 2), first(x))
    torch.testing.assert_close(pointwise_twice(first, second, channels_last).permute(0, 3, 1, 2), second(first(x)))


def test_layer_norm_is_over_the_channels_of_each_pixel() -> None:
    norm = randomised(LayerNorm2d(6, eps=1e-6)).double()
    x = torch.randn(2, 6, 3, 4, dtype=torch.float64)
    deviation = (x.var(1, keepdim=True, correction=0) + 1e-6).sqrt()
    expected = (x - x.mean(1, keepdim=True)) / deviation * norm.weight.view(-1, 1, 1) + norm.bias.view(-1, 1, 1)
    torch.testing.assert_close(norm(x), expected)


def test_an_unknown_activation_is_refused_with_the_list() -> None:
    with pytest.raises(InvalidInputError, match="'swish'; known: gelu, relu"):
        activation("swish")
