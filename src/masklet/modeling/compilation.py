"""Parts of the network through torch's compiler: few graphs, whatever the objects, prompts and memories."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
import torch.fx.experimental._config as symbolic_shapes
from torch import Tensor, nn
from torch.utils._pytree import tree_map_only

from masklet.errors import InvalidInputError

if TYPE_CHECKING:
    from masklet.modeling.memory_attention import MemoryTokens
    from masklet.modeling.video_network import VideoNetwork

Backend = str | Callable[..., Any]
Varying = list[tuple[Tensor, list[int]]]


def compile_parts(network: VideoNetwork, backend: Backend = "inductor") -> None:
    """Compile, when they next run, the parts that do nearly all of the work; see `VideoNetwork.compile_parts`."""
    if not hasattr(symbolic_shapes, "backed_size_oblivious"):
        raise InvalidInputError(f"Compiling needs torch 2.7 or later; this is torch {torch.__version__}.")
    for part, varying in (
        (network.vision_encoder.backbone, _nothing_varies),
        (network.memory_attention, _varying_of_memory_attention),
        (network.mask_decoder, _varying_of_mask_decoder),
        (network.memory_encoder, _varying_of_memory_encoder),
    ):
        # A type checker does not like methods to be replaced; torch's own wrappers do the same.
        part.forward = CompiledForward(part, varying, backend)  # type: ignore[assignment]


class CompiledForward:
    """The `forward` of a module as a graph in which some dimensions of the arguments have any size.

    Args:
        part: the module.
        varying: given the arguments, says which dimensions of which tensors vary from call to call.
        backend: of `torch.compile`.

    A graph is bound to the strides of its arguments and to whether they were made in inference mode. It is given
    copies, which are alike in both: they cost little beside what it computes.
    """

    def __init__(self, part: nn.Module, varying: Callable[..., Varying], backend: Backend) -> None:
        self._part = part  # an argument of what is compiled: a copy of the network runs its own weights
        self._varying = varying
        self._compiled = torch.compile(type(part).forward, backend=backend)

    def __call__(self, *arguments: Any) -> Any:
        """Run the part."""
        copies = tree_map_only(Tensor, lambda x: x.clone(memory_format=torch.contiguous_format), arguments)
        for tensor, dimensions in self._varying(*copies):
            torch._dynamo.mark_dynamic(tensor, dimensions)
        # A size of 1, say one remembered frame, would otherwise have a graph of its own.
        with symbolic_shapes.patch(backed_size_oblivious=True):  # type: ignore[attr-defined]
            return self._compiled(self._part, *copies)


def _nothing_varies(*arguments: Any) -> Varying:
    return []


def _varying_of_memory_attention(features: Tensor, positions: Tensor, memory: MemoryTokens) -> Varying:
    """Objects, remembered frames, pointers."""
    return [(memory.values, [0, 1]), (memory.grids, [0, 1]), (memory.loose, [0, 1])]


def _varying_of_mask_decoder(
    image_embeddings: Tensor, positions: Tensor, sparse: Tensor, dense: Tensor, *others: Any
) -> Varying:
    """Objects, each of them a row of the batch, and the tokens of their prompts."""
    return [(image_embeddings, [0]), (sparse, [0, 2]), (dense, [0])]


def _varying_of_memory_encoder(features: Tensor, masks: Tensor) -> Varying:
    """Objects."""
    return [(masks, [0])]
