"""Attention cut into as many windows as a GPU launches at once, for any number of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import Mock, patch

import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.small_models import small_model

from masklet.modeling import layers
from masklet.modeling.layers import attention


@contextmanager
def on_a_gpu(limit: int) -> Iterator[Mock]:
    """Take the processor for a GPU of this limit, and watch the kernel."""
    kernel = Mock(wraps=F.scaled_dot_product_attention)
    with (
        patch.multiple(layers, HAVE_THIS_LIMIT=("cpu",), MOST_LAUNCHED=limit),
        patch.object(F, "scaled_dot_product_attention", kernel),
    ):
        yield kernel


@settings(deadline=None)  # the first products take longer
@given(st.integers(1, 30), st.integers(1, 5), st.integers(1, 40))
def test_no_launch_is_beyond_the_limit_and_the_result_is_the_same(windows: int, heads: int, limit: int) -> None:
    q, k, v = torch.randn(3, windows, heads, 4, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    expected = attention(q, k, v)
    with on_a_gpu(limit) as kernel:
        torch.testing.assert_close(attention(q, k, v), expected)
    sizes = [call.args[0].shape[0] for call in kernel.call_args_list]
    assert sum(sizes) == windows
    assert max(sizes) <= max(limit // heads, 1)
    assert len(sizes) == -(-windows // max(limit // heads, 1)), "no more launches than it takes"


def test_the_backbone_takes_any_number_of_images() -> None:
    backbone = small_model(64).vision_encoder.backbone
    images = torch.randn(3, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = backbone(images)
        with on_a_gpu(limit=16) as kernel:
            result = backbone(images)
    torch.testing.assert_close(result.to_tuple(), expected.to_tuple())
    assert max(call.args[0].shape[:-2].numel() for call in kernel.call_args_list) == 16
