"""Position encodings: random Fourier features of prompts and of the image grid, sines of the feature pyramid.

Tables of them depend only on a shape and on fixed tensors, and are computed once (`OnceAShape`).
"""

import math
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from masklet.modeling.plain_calls import is_plain, is_recorded


@dataclass(frozen=True)
class _Remembered:
    """A table, and what it was computed from: copies of the processor's tensors, or a device's tensors themselves."""

    shape: Hashable
    sources: tuple[Tensor, ...]
    writes: tuple[tuple[int, int], ...]
    table: Tensor

    @classmethod
    def of(cls, shape: Hashable, sources: tuple[Tensor, ...], compute: Callable[[], Tensor]) -> "_Remembered":
        kept = tuple(source.clone() if source.device.type == "cpu" else source for source in sources)
        return cls(shape, kept, tuple(map(_writes_to, sources)), compute())

    def is_of(self, shape: Hashable, sources: tuple[Tensor, ...]) -> bool:
        same_kind = all(now.dtype == then.dtype for now, then in zip(sources, self.sources, strict=True))
        return same_kind and shape == self.shape and all(map(self._is_same, sources, self.sources, self.writes))

    @staticmethod
    def _is_same(now: Tensor, then: Tensor, writes: tuple[int, int]) -> bool:
        if now.device.type == then.device.type == "cpu":
            return torch.equal(now, then)
        return now is then and _writes_to(now) == writes


def _writes_to(source: Tensor) -> tuple[int, int]:
    """Return where a tensor of a device lies, and how often torch saw it written to; nothing of the processor's."""
    return (0, 0) if source.device.type == "cpu" else (source.data_ptr(), source._version)


class OnceAShape:
    """Remembers the last result of a function of some shape and of some small source tensors.

    The result is computed afresh if the sources' values or dtype are others than last time, and always while gradients
    may flow to a source or the network is compiled, exported or traced (but see `as_constant`). Values are compared,
    not torch's version counters: fused optimizers change parameters without counting. Off the processor comparing would
    wait for the device, so there the counters have to do, and a table with sources is remembered from one call in
    inference mode to the next: a call in any other mode, such as a training step's, forgets it. What nobody notices
    there is a write through `.data` between two calls in inference mode. A copy of the object (deep or pickled) starts
    empty.
    """

    def __init__(self) -> None:
        self._remembered: _Remembered | None = None
        self._is_constant = False

    @contextmanager
    def as_constant(self) -> Iterator[None]:
        """Let graphs that are recorded meanwhile hold what is remembered, if it is of their shape, as a constant.

        That the sources are still the same is for the caller to see to: while a graph is recorded they have no values.
        """
        self._is_constant = True
        try:
            yield
        finally:
            self._is_constant = False

    def __reduce__(self) -> tuple[type["OnceAShape"], tuple[()]]:
        return OnceAShape, ()

    def get(self, compute: Callable[[], Tensor], shape: Hashable, *sources: Tensor) -> Tensor:
        """Return `compute()`, remembered under `shape` and the values of `sources`."""
        flowing = torch.is_grad_enabled() and any(source.requires_grad for source in sources)
        if is_recorded():
            kept = self._remembered if self._is_constant else None
            return kept.table if kept and kept.shape == shape else compute()
        if flowing or not all(map(_can_be_watched, sources)):
            self._remembered = None
            return compute()
        remembered = self._remembered
        if remembered is None or not remembered.is_of(shape, sources):
            # Outside inference mode, so that a later training step may use the table too.
            with torch.inference_mode(False), torch.no_grad():
                remembered = self._remembered = _Remembered.of(shape, sources, compute)
        return remembered.table


def _can_be_watched(source: Tensor) -> bool:
    """Whether changes of a source will be noticed; tensors made in inference mode have no version counter."""
    return source.device.type == "cpu" or (torch.is_inference_mode_enabled() and not source.is_inference())


class FourierPositions(nn.Module):
    """Random Fourier features of points in the unit square (SAM paper, appendix A; Tancik et al. 2020)."""

    positional_embedding: Tensor

    def __init__(self, channels: int, scale: float):
        super().__init__()
        self.register_buffer("positional_embedding", scale * torch.randn(2, channels // 2))
        self._grid = OnceAShape()

    def forward(self, points: Tensor) -> Tensor:
        """Encode [..., 2] (x, y) in 0..1 as [..., channels]; computed in the embedding's dtype."""
        # Sums of two products, not a matrix product: autocast would round the coordinates to half precision.
        x, y = (2 * points.to(self.positional_embedding.dtype) - 1).unsqueeze(-1).unbind(-2)
        along_x, along_y = self.positional_embedding
        angles = 2 * math.pi * (x * along_x + y * along_y)
        return torch.cat([angles.sin(), angles.cos()], dim=-1)

    def grid(self, height: int, width: int) -> Tensor:
        """Return the encoding of every pixel centre of a grid: [height, width, channels]."""
        if not is_plain(self, FourierPositions):
            return self._encode_grid(height, width)
        return self._grid.get(lambda: self._encode_grid(height, width), (height, width), self.positional_embedding)

    def _encode_grid(self, height: int, width: int) -> Tensor:
        device = self.positional_embedding.device
        y, x = ((torch.arange(size, device=device, dtype=torch.float32) + 0.5) / size for size in (height, width))
        return self(torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1))


def sine_positions(height: int, width: int, channels: int, *, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Normalised 2-D sine encoding [channels, height, width] (DETR), y channels first; computed in float32."""
    half = channels // 2
    frequencies = 10000 ** (2 * (torch.arange(half, device=device) // 2) / half)
    axes = []
    for size in (height, width):
        position = torch.arange(1, size + 1, device=device, dtype=torch.float32) / (size + 1e-6) * (2 * math.pi)
        angles = position[:, None] / frequencies
        axes.append(torch.stack([angles[:, 0::2].sin(), angles[:, 1::2].cos()], dim=-1).flatten(1))
    y = axes[0].T[:, :, None].expand(half, height, width)
    x = axes[1].T[:, None, :].expand(half, height, width)
    return torch.cat([y, x]).to(dtype)
