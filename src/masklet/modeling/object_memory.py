"""The memories of N objects, as tensors: the value that conditioning a frame takes.

Dimensions: n objects, f memory frames, h * w tokens of a frame, m memory channels, p object pointers, c channels.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from masklet.configuration import Sam2Config
from masklet.errors import InvalidInputError


class ObjectMemory(NamedTuple):
    """The memories of N objects that a frame attends to; each object has equally many.

    Attributes:
        features: [n, f, h * w, m], as `VideoNetwork.encode_memory` returns them.
        temporal_positions: int64 [n, f], rows of the temporal encoding: the last one for frames with prompts, r - 1 for
            the frame r steps back.
        pointers: [n, p, c].
        times: [n, p], how long ago pointers were made: 1 is the farthest usual distance (`pointer_times`).
    """

    features: Tensor
    temporal_positions: Tensor
    pointers: Tensor
    times: Tensor

    @property
    def is_empty(self) -> bool:
        """Whether there is neither a frame nor a pointer."""
        return not self.features.shape[1] and not self.pointers.shape[1]


def stacked_memory(
    config: Sam2Config,
    features: Sequence[Tensor],
    temporal_positions: Sequence[int | Tensor],
    pointers: Sequence[Tensor] = (),
    distances: Sequence[int | Tensor] = (),
    pointer_span: int = 2,
    *,
    device: torch.device | None = None,
) -> ObjectMemory:
    """Stack memories that were made frame by frame.

    Args:
        config: of the network that made them.
        features: of each memory frame [n, h * w, m].
        temporal_positions: of each memory frame one for all objects, or int64 [n].
        pointers: of each pointer's frame [n, c].
        distances: in frames, of each pointer one for all objects, or int64 [n].
        pointer_span: see `pointer_times`.
        device: of the result where there is nothing to stack; None: the CPU.
    """
    given = [*features, *pointers]
    objects, device = (len(given[0]), given[0].device) if given else (1, device)
    tokens = (config.image_size // config.prompt_encoder_config.patch_size) ** 2
    no_features = (objects, 0, tokens, config.memory_encoder_output_channels)
    no_pointers = (objects, 0, config.memory_attention_hidden_size)
    return ObjectMemory(
        features=torch.stack(list(features), dim=1) if features else torch.zeros(no_features, device=device),
        temporal_positions=_for_each_object(temporal_positions, objects, device),
        pointers=torch.stack(list(pointers), dim=1) if pointers else torch.zeros(no_pointers, device=device),
        times=pointer_times(_for_each_object(distances, objects, device), pointer_span),
    )


def pointer_times(distances: Tensor, pointer_span: int) -> Tensor:
    """Return times of distances in frames: 1 at a distance of `pointer_span` - 1.

    Raises:
        InvalidInputError: for a span of less than 2 frames.
    """
    if pointer_span < 2:
        raise InvalidInputError(f"pointer_span is {pointer_span}; pointers span at least 2 frames.")
    return distances / (pointer_span - 1)


def pointer_tokens(pointers: Tensor, channels: int) -> Tensor:
    """Cut pointers [objects, pointers, any] into tokens: [objects, pointers * any / channels, channels]."""
    return pointers.unflatten(-1, (pointers.shape[-1] // channels, channels)).flatten(1, 2)


def sine_times(times: Tensor, channels: int) -> Tensor:
    """Sines and cosines [..., channels] of times [...], 1 being the farthest usual one; computed in float32."""
    half = channels // 2
    frequencies = 10000 ** (2 * (torch.arange(half, device=times.device) // 2) / half)
    angles = times.float().unsqueeze(-1) / frequencies
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


def _for_each_object(numbers: Sequence[int | Tensor], objects: int, device: torch.device | None) -> Tensor:
    """Return int64 [objects, numbers]."""
    rows = [torch.as_tensor(number, dtype=torch.int64, device=device).expand(objects) for number in numbers]
    return torch.stack(rows, dim=1) if rows else torch.zeros(objects, 0, dtype=torch.int64, device=device)
