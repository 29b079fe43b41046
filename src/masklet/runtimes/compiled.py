"""The network with its parts through torch's compiler: few graphs, whatever the objects, prompts and memories."""

import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from shutil import which
from types import FunctionType
from typing import Any, TypeVar

import torch
import torch.fx.experimental._config as symbolic_shapes
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves, tree_map_only

from masklet.errors import InvalidInputError
from masklet.modeling.image_model import Sam2Model
from masklet.modeling.layers import MOST_LAUNCHED
from masklet.modeling.memory_attention import MemoryTokens
from masklet.modeling.outputs import DecodedMasks
from masklet.modeling.video_network import VideoNetwork
from masklet.runtimes.protocol import MOST_DECODED

Backend = str | Callable[..., Any]
Varying = list[tuple[Tensor, list[int]]]
Sizes = tuple[torch.Size, ...]
Network = TypeVar("Network", bound=Sam2Model)
HAVE_CUDA_GRAPHS = ("cuda",)
LAST_CALLS, OFTEN = 32, 8  # sizes that came as often among the last calls are steady
CALLS_TO_RECORD = OFTEN + 2  # of one size: then its CUDA graph was compiled, warmed up and recorded
MOST_STEADY = 4  # of a part: each takes a compilation and memory
_COMPILERS = {"darwin": "clang++", "win32": "cl"}  # elsewhere g++, as torch has it


def can_compile(device: str) -> bool:
    """Whether torch's compiler finds what it needs: Triton for a GPU, a compiler of C++ for a processor."""
    if torch.device(device).type == "cuda":
        return _is_torch_new_enough() and find_spec("triton") is not None
    return _is_torch_new_enough() and which(os.environ.get("CXX", _COMPILERS.get(sys.platform, "g++"))) is not None


def _is_torch_new_enough() -> bool:
    return hasattr(symbolic_shapes, "backed_size_oblivious")


def compiled_network(network: Network, backend: Backend = "inductor") -> Network:
    """Return a network whose backbone and mask decoder run through torch's compiler, of videos the memory's parts, too.

    It is the same network, compiled in place when its parts first run, which takes minutes; everything else stays as it
    is. While tracking each part is one graph, whatever the number of objects, clicks, memory frames and pointers;
    only the mask decoder is two, for one object and for several, and memory attention one more on frames that see no
    pointer. Another image size, dtype, or gradients are compiled afresh.

    On a GPU sizes that stay, as they do once the memory bank is full, are compiled once more each, as CUDA graphs: see
    `CompiledForward`.

    Args:
        network: the network.
        backend: of `torch.compile`.

    Raises:
        InvalidInputError: where torch is older than 2.7.
    """
    check_torch("Compiling")
    parts: list[tuple[nn.Module, Callable[..., Varying], type[CompiledForward]]] = [
        (network.vision_encoder.backbone, _nothing_varies, CompiledForward),
        (network.mask_decoder, _varying_of_mask_decoder, CompiledDecoder),
    ]
    if isinstance(network, VideoNetwork):
        parts += [
            (network.memory_attention, _varying_of_memory_attention, CompiledMemoryAttention),
            (network.memory_encoder, _varying_of_memory_encoder, CompiledForward),
        ]
    for part, varying, kind in parts:
        part.forward = kind(part, varying, backend)
    return network


def records(runtime: object) -> bool:
    """Whether a runtime is a network that is compiled, on a device where steady sizes are recorded."""
    if not isinstance(runtime, Sam2Model) or runtime.device.type not in HAVE_CUDA_GRAPHS:
        return False
    return isinstance(runtime.mask_decoder.forward, CompiledForward)


def check_torch(work: str) -> None:
    """Raise InvalidInputError where torch is older than 2.7, which records graphs for axes of any size."""
    if not _is_torch_new_enough():
        raise InvalidInputError(f"{work} needs torch 2.7 or later; this is torch {torch.__version__}.")


class CompiledForward:
    """The `forward` of a module as a graph in which some dimensions of the arguments have any size.

    Args:
        part: the module.
        varying: given the arguments, returns which dimensions of which tensors vary from call to call.
        backend: of `torch.compile`.

    A graph is bound to the strides of its arguments and to whether they were made in inference mode. It is given
    copies, which are alike in both: they cost little beside what it computes.

    A GPU works through a CUDA graph without the processor, but one graph serves one size. So sizes that come again and
    again there get one each, and those of a part in which nothing varies at once. The first `MOST_STEADY` of them keep
    theirs for good, and later ones get none: torch holds the memory of every CUDA graph until the last one of a device
    is gone, so that giving one up for another would take more and more. Not with gradients, and in the main thread
    only: torch keeps CUDA graphs by thread, and before 2.13 fails in others.
    """

    def __init__(self, part: nn.Module, varying: Callable[..., Varying], backend: Backend) -> None:
        self._part = part  # an argument of what is compiled: a copy of the network runs its own weights
        self._varying = varying
        self._backend = backend
        self._compiled = torch.compile(_own_forward(part), backend=backend)
        self._last: deque[Sizes] = deque(maxlen=LAST_CALLS)
        self._recorded: dict[Sizes, Callable[..., Any]] = {}

    def __call__(self, *arguments: Any) -> Any:
        """Run the part."""
        copies = tree_map_only(Tensor, lambda x: x.clone(memory_format=torch.contiguous_format), arguments)
        varying = self._varying(*copies)
        if recorded := self._recorded_for(copies, varies=bool(varying)):
            return self._replay(recorded, copies)
        for tensor, dimensions in varying:
            torch._dynamo.mark_dynamic(tensor, dimensions)
        # A size of 1, as of one memory frame, would otherwise have a graph of its own.
        with symbolic_shapes.patch(backed_size_oblivious=True):  # type: ignore[attr-defined]
            return self._compiled(self._part, *copies)

    def _recorded_for(self, arguments: tuple[Any, ...], *, varies: bool) -> Callable[..., Any] | None:
        """Return what is recorded for the sizes of these arguments, if they are steady."""
        tensors = [each for each in tree_leaves(arguments) if isinstance(each, Tensor)]
        is_main = threading.current_thread() is threading.main_thread()
        if tensors[0].device.type not in HAVE_CUDA_GRAPHS or torch.is_grad_enabled() or not is_main:
            return None
        sizes = tuple(each.shape for each in tensors)
        self._last.append(sizes)
        is_new = sizes not in self._recorded and len(self._recorded) < MOST_STEADY
        if is_new and (not varies or self._last.count(sizes) >= OFTEN):
            mode = "reduce-overhead" if self._backend == "inductor" else None  # CUDA graphs
            own = _own_forward(self._part)
            self._recorded[sizes] = torch.compile(own, backend=self._backend, dynamic=False, mode=mode)
        return self._recorded.get(sizes)

    def _replay(self, recorded: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """Run the part at steady sizes; copies of what it returns, which lies where a CUDA graph writes next time."""
        torch.compiler.cudagraph_mark_step_begin()
        return tree_map_only(Tensor, Tensor.clone, recorded(self._part, *arguments))


class CompiledMemoryAttention(CompiledForward):
    """Memory attention: its sizes grow with each frame until the memory bank is full, and are not steady before."""

    def _recorded_for(self, arguments: tuple[Any, ...], *, varies: bool) -> Callable[..., Any] | None:
        memory: MemoryTokens = arguments[2]
        config: Any = self._part.config
        frames, pointers = memory.grids.shape[1], memory.loose[0].numel() // config.memory_attention_hidden_size
        is_full = frames >= config.num_maskmem and pointers >= config.max_object_pointers_in_encoder
        return super()._recorded_for(arguments, varies=varies) if is_full else None


class CompiledDecoder(CompiledForward):
    """The mask decoder: objects that share an image become rows, as those with memories are, so that one graph does.

    It is given some of them at a time: on a processor, because a graph does not go through its layers piece by piece;
    on a GPU so many that no attention has to be cut into launches, which would fix their number.
    """

    def __call__(self, image: Tensor, positions: Tensor, sparse: Tensor, dense: Tensor, *others: Any) -> Any:
        """Run the decoder; arguments as of `MaskDecoder.forward`."""
        objects, guidance = sparse.shape[1], others[2:4]
        if len(image) > 1 or objects == 1 or any(each is not None for each in guidance):
            return super().__call__(image, positions, sparse, dense, *others)
        sparse, dense = sparse.transpose(0, 1), (dense[0] if dense.ndim == 5 else dense).expand(objects, -1, -1, -1)
        config: Any = self._part.config
        most = MOST_DECODED if image.device.type == "cpu" else MOST_LAUNCHED // config.num_attention_heads
        parts: list[DecodedMasks] = []
        for rows in (slice(start, start + most) for start in range(0, objects, most)):
            own = sparse[rows]
            parts.append(super().__call__(image.expand(len(own), -1, -1, -1), positions, own, dense[rows], *others))
        return DecodedMasks(
            masks=_by_object(each.masks for each in parts),
            iou=_by_object(each.iou for each in parts),
            tokens=_by_object(each.tokens for each in parts),
            object_score=_by_object(each.object_score for each in parts),
            attentions=[_by_object(layer) for layer in zip(*(each.attentions for each in parts), strict=True)],
        )


def _own_forward(part: nn.Module) -> FunctionType:
    """Return the `forward` of a part's class with code of its own.

    torch keeps at most 8 graphs of a piece of code, which all networks of the process would share.
    """
    forward: Any = type(part).forward
    own = FunctionType(
        forward.__code__.replace(),
        forward.__globals__,
        forward.__name__,
        forward.__defaults__,
        forward.__closure__,
    )
    own.__kwdefaults__ = forward.__kwdefaults__
    return own


def _by_object(parts: Iterable[Tensor]) -> Tensor:
    """Return rows [objects, 1, ...] as the objects of one image [1, objects, ...]."""
    return torch.cat(tuple(parts)).transpose(0, 1)


def _nothing_varies(*arguments: Any) -> Varying:
    return []


def _varying_of_memory_attention(features: Tensor, positions: Tensor, memory: MemoryTokens) -> Varying:
    """Objects, memory frames, pointers."""
    return [(memory.values, [0, 1]), (memory.grids, [0, 1]), (memory.loose, [0, 1])]


def _varying_of_mask_decoder(
    image_embeddings: Tensor, positions: Tensor, sparse: Tensor, dense: Tensor, *others: Any
) -> Varying:
    """Objects, each of them a row of the batch, and the tokens of their prompts."""
    return [(image_embeddings, [0]), (sparse, [0, 2]), (dense, [0])]


def _varying_of_memory_encoder(features: Tensor, masks: Tensor) -> Varying:
    """Objects."""
    return [(masks, [0])]
