"""Attention between tokens and image: every short cut against the plain formula, in float64."""

import pytest
import torch
from tests.support.small_models import randomised
from tests.unit.modeling.plain_decoder import plain_attention
from torch import Tensor

from masklet.modeling.decoder_attention import DecoderAttention, ImageToTokens, TokensToImage

WIDTH, HEADS, PIXELS = 32, 2, 20  # inner width 16: fewer than 8 tokens are few
FEW, MANY = 3, 11


def randomly(kind: type[DecoderAttention]) -> DecoderAttention:
    return randomised(kind(WIDTH, HEADS, downsample_rate=2)).double()


@pytest.fixture
def attention() -> DecoderAttention:
    return randomly(DecoderAttention)


@pytest.fixture
def tokens_to_image() -> DecoderAttention:
    return randomly(TokensToImage)


@pytest.fixture
def image_to_tokens() -> DecoderAttention:
    return randomly(ImageToTokens)


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, WIDTH, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def plainly(attention: DecoderAttention, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """One image and one object at a time."""
    objects = max(queries.shape[1], keys.shape[1])
    each = (x.expand(-1, objects, -1, -1).flatten(0, 1) for x in (queries, keys, values))
    one_by_one = torch.stack([plain_attention(attention, *qkv) for qkv in zip(*each, strict=True)])
    return one_by_one.unflatten(0, (queries.shape[0], objects))


def test_plain_attention(attention: DecoderAttention) -> None:
    queries, keys, values = random(2, 3, FEW), random(2, 3, MANY, seed=1), random(2, 3, MANY, seed=2)
    torch.testing.assert_close(attention(queries, keys, values), plainly(attention, queries, keys, values))


@pytest.mark.parametrize("tokens", [FEW, MANY])
@pytest.mark.parametrize("image_objects", [1, 3], ids=["shared image", "an image an object"])
@pytest.mark.parametrize("gradients", [True, False])
def test_tokens_look_at_the_image(
    tokens_to_image: DecoderAttention, tokens: int, image_objects: int, gradients: bool
) -> None:
    queries = random(2, 3, tokens)
    keys, values = random(2, image_objects, PIXELS, seed=1), random(2, image_objects, PIXELS, seed=2)
    with torch.set_grad_enabled(gradients):
        torch.testing.assert_close(
            tokens_to_image(queries, keys, values), plainly(tokens_to_image, queries, keys, values)
        )


@pytest.mark.parametrize("tokens", [FEW, MANY])
@pytest.mark.parametrize("image_objects", [1, 3], ids=["shared image", "an image an object"])
def test_bias_is_added_to_the_scores(tokens_to_image: DecoderAttention, tokens: int, image_objects: int) -> None:
    queries, image = random(2, 3, tokens), random(2, image_objects, PIXELS, seed=1)
    nothing_but_pixel_5 = torch.full((1, 1, 1, 1, PIXELS), -1e9, dtype=torch.float64)
    nothing_but_pixel_5[..., 5] = 0
    seen = tokens_to_image(queries, image, image, nothing_but_pixel_5)
    expected = tokens_to_image.o_proj(tokens_to_image.v_proj(image[:, :, 5])).unsqueeze(2).expand(2, 3, tokens, WIDTH)
    torch.testing.assert_close(seen, expected)


@pytest.mark.parametrize("tokens", [FEW, MANY])
@pytest.mark.parametrize("image_objects", [1, 3], ids=["shared image", "an image an object"])
@pytest.mark.parametrize("gradients", [True, False])
def test_the_image_looks_at_tokens(
    image_to_tokens: DecoderAttention, tokens: int, image_objects: int, gradients: bool
) -> None:
    queries = random(2, image_objects, PIXELS)
    keys, values = random(2, 3, tokens, seed=1), random(2, 3, tokens, seed=2)
    with torch.set_grad_enabled(gradients):
        seen = image_to_tokens(queries, keys, values)
    assert seen.shape == (2, 3, PIXELS, WIDTH)
    torch.testing.assert_close(seen, plainly(image_to_tokens, queries, keys, values))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_close(tokens_to_image: DecoderAttention, dtype: torch.dtype) -> None:
    queries, keys = random(1, 2, FEW), random(1, 2, PIXELS, seed=1)
    expected = plainly(tokens_to_image, queries, keys, keys)
    half = tokens_to_image.to(dtype)
    seen = half(queries.to(dtype), keys.to(dtype), keys.to(dtype))
    torch.testing.assert_close(seen.double(), expected, rtol=0.05, atol=0.05)
