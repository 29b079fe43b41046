"""Small layers that several parts of the network share, and fresh weights as the reference draws them."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from masklet.errors import InvalidInputError
from masklet.modeling.pieces import has_tile_units, pays_in_pieces, row_by_row
from masklet.modeling.plain_calls import is_plain, is_recorded, is_recorded_once

# Their scores with the keys of a whole image at 1024 stay in the processor's cache.
QUERIES_AT_A_TIME = 256
MANY_SCORES = 2**22  # of a head; then one head is enough at a time
MOST_LAUNCHED = 65_535  # CUDA's grid is no longer along the axes on which some kernels of attention lay batch and heads
HAVE_THIS_LIMIT = ("cuda",)

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": F.gelu,
    "relu": F.relu,
    "silu": F.silu,
    "gelu_pytorch_tanh": lambda x: F.gelu(x, approximate="tanh"),
}


def activation(name: str) -> Callable[[Tensor], Tensor]:
    """Return the function a configuration's `hidden_act` names."""
    if name not in ACTIVATIONS:
        raise InvalidInputError(f"Unknown activation {name!r}; known: {', '.join(ACTIVATIONS)}.")
    return ACTIVATIONS[name]


class FeedForward(nn.Module):
    """Linear layers with an activation between them; `num_layers` counts all of them."""

    def __init__(self, width: int, hidden: int, out: int, num_layers: int, act: str = "relu", sigmoid: bool = False):
        super().__init__()
        self.hidden = hidden
        self.proj_in = nn.Linear(width, hidden)
        self.layers = nn.ModuleList(nn.Linear(hidden, hidden) for _ in range(num_layers - 2))
        self.proj_out = nn.Linear(hidden, out)
        self.act = activation(act)
        self.sigmoid = sigmoid

    def forward(self, x: Tensor) -> Tensor:
        """Map the last dimension of `x` from `width` to `out`."""
        return row_by_row(self._through_layers, x, self.hidden, self.proj_in, self.layers, self.proj_out)

    def _through_layers(self, x: Tensor) -> Tensor:
        x = self.act(self.proj_in(x))
        for layer in self.layers:
            x = self.act(layer(x))
        x = self.proj_out(x)
        return torch.sigmoid(x) if self.sigmoid else x


class LayerNorm2d(nn.LayerNorm):
    """Layer norm over the channels of [batch, channels, height, width]."""

    def forward(self, x: Tensor) -> Tensor:
        """Normalise each pixel's channels."""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Scaled dot-product attention of [..., heads, sequence, channels]."""
    if pays_by_products(q):
        return attention_by_products(q, k, v)
    # A graph that is recorded once has to take any size as it is.
    if q.device.type in HAVE_THIS_LIMIT and not is_recorded_once() and q.shape[:-2].numel() > MOST_LAUNCHED:
        return _attention_in_launches(q, k, v)
    return F.scaled_dot_product_attention(q, k, v)


def _attention_in_launches(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Attention of some entries of the first dimension at a time, such as windows: as many as can be launched."""
    count = max(MOST_LAUNCHED // q.shape[1:-2].numel(), 1)
    launches = zip(*(each.split(count) for each in (q, k, v)), strict=True)
    return torch.cat([F.scaled_dot_product_attention(*some) for some in launches])


def pays_by_products(q: Tensor) -> bool:
    """Whether plain products are quicker than torch's fused kernel: in half precision on most processors.

    Its forward pass multiplies halves no faster than singles where there are no tile units (2 to 2.5 times the time of
    the products with AVX-512), its backward pass nowhere (2 to 5 times).
    """
    is_half_here = q.device.type == "cpu" and q.dtype.itemsize == 2 and not is_recorded()
    return is_half_here and (torch.is_grad_enabled() or not has_tile_units(q))


def attention_by_products(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Scaled dot-product attention whose values may have another width than keys; some queries at a time."""
    keys = (k * k.shape[-1] ** -0.5).transpose(-2, -1)
    if not pays_in_pieces(q.device):
        return (q @ keys).softmax(-1) @ v
    if q.ndim > 2 and q.shape[-2] * k.shape[-2] >= MANY_SCORES:
        return torch.stack([attention_by_products(*head) for head in zip(q, k, v, strict=True)])
    keys = keys.contiguous()  # once, or oneDNN does it for each few queries
    return torch.cat([(some @ keys).softmax(-1) @ v for some in q.split(QUERIES_AT_A_TIME, dim=-2)], dim=-2)


def times_pixels(rows: Tensor, pixels: Tensor) -> Tensor:
    """Return `rows @ pixels^T` of [..., few, channels] and [..., many, channels].

    In half precision oneDNN copies an operand that is transposed: then the few rows are, and the narrow result.
    """
    is_half_here = pixels.device.type == "cpu" and pixels.dtype.itemsize == 2
    return (pixels @ rows.mT).mT.contiguous() if is_half_here and not is_recorded() else rows @ pixels.mT


def pointwise(conv: nn.Conv2d, x_bhwc: Tensor) -> Tensor:
    """Apply a 1x1 convolution to channels-last pixels, without the copies that a change of layout costs."""
    if not is_plain(conv, nn.Conv2d):
        return conv(x_bhwc.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
    return F.linear(x_bhwc, conv.weight.flatten(1), conv.bias)


def pointwise_twice(first: nn.Conv2d, second: nn.Conv2d, x_bhwc: Tensor) -> Tensor:
    """Two 1x1 convolutions in a row as the single one they amount to (exact: both are linear)."""
    if not (is_plain(first, nn.Conv2d) and is_plain(second, nn.Conv2d)) or first.bias is None or second.bias is None:
        return pointwise(second, pointwise(first, x_bhwc))
    outer = second.weight.flatten(1)
    return F.linear(x_bhwc, outer @ first.weight.flatten(1), outer @ first.bias + second.bias)


class DropPath(nn.Module):
    """Stochastic depth: in training, leave a residual branch out for a random part of the batch.

    `rate` is how often; training sets it (`masklet.training.network.building`).
    """

    def __init__(self, rate: float):
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor, samples: int) -> Tensor:
        """Zero whole samples with probability `rate` and scale the others up to keep the mean.

        Each of the `samples` is equally many entries of the first dimension in a row, its windows say.
        """
        if self.rate == 0 or not self.training:
            return x
        kept = (torch.rand(samples, 1, device=x.device) >= self.rate).to(x.dtype) / (1 - self.rate)
        return (x.reshape(samples, -1) * kept).view_as(x)


def initialize(deviation: float) -> Callable[[nn.Module], None]:
    """Make a function for `Module.apply`: linear and convolution weights normal(0, deviation), biases 0, norms 1."""

    def initialize_one(module: nn.Module) -> None:
        if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, std=deviation)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=deviation)
        elif isinstance(module, nn.LayerNorm):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)

    return initialize_one
