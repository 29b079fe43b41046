"""A model's verbs as graphs: modules of tensors alone, their shapes, and inputs to record and compare them by."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from masklet.configuration import Sam2Config
from masklet.modeling.hiera import Sam2HieraDetModel, constant_positions
from masklet.modeling.image_model import Sam2Model
from masklet.modeling.video_network import VideoNetwork
from masklet.runtimes.manifest import TensorSpec
from masklet.runtimes.names import GraphName
from masklet.runtimes.protocol import ImageFeatures, ObjectMemory

Sizes = Mapping[str, int]
"""Of each axis of any size; for layouts of other programs also of boxes and earlier masks: one an object, or 0."""
RECORDED = {"objects": 3, "points": 2, "frames": 2, "pointers": 5, "boxes": 3, "earlier_masks": 0}
"""Sizes at which graphs are recorded: no axis is 0 or 1, which exporters take for constants."""

_Call = Callable[..., Sequence[Tensor]]


class Verb(nn.Module):
    """A verb of a network as a module: positional tensors in, a tuple of tensors out."""

    def __init__(self, network: nn.Module, call: _Call) -> None:
        super().__init__()
        self.network = network
        self._call = call

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """Call the verb."""
        return tuple(self._call(self.network, *tensors))


@dataclass(frozen=True)
class Graph:
    """A verb that is to be exported, with its inputs and outputs in order."""

    name: str
    module: Verb
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]

    def dynamic_shapes(self, of_axis: Callable[[str], Any]) -> tuple[tuple[dict[int, Any], ...]]:
        """Return what exporters call dynamic shapes, `of_axis` giving what stands for an axis of any size."""
        shapes = (
            {place: of_axis(size) for place, size in enumerate(spec.shape) if isinstance(size, str)}
            for spec in self.inputs
        )
        return (tuple(shapes),)

    def exported(self, axes: Mapping[str, tuple[int, int]], inputs: Sequence[Tensor]) -> torch.export.ExportedProgram:
        """Record the graph by `torch.export`, from inputs of the sizes `RECORDED`."""
        dims = {name: torch.export.Dim(name, min=least, max=most) for name, (least, most) in axes.items()}
        shapes = self.dynamic_shapes(dims.__getitem__)
        backbones = (part for part in self.module.modules() if isinstance(part, Sam2HieraDetModel))
        with torch.no_grad(), ExitStack() as constants:
            for backbone in backbones:
                constants.enter_context(constant_positions(backbone))
            return torch.export.export(self.module, tuple(inputs), dynamic_shapes=shapes, strict=False)


@dataclass(frozen=True)
class GraphSet:
    """What is exported together.

    Attributes:
        graphs: each to be a file.
        axes: bounds of the axes of any size.
        inputs: returns inputs of all graphs by name, for sizes of these axes and a seed.
    """

    graphs: Sequence[Graph]
    axes: Mapping[str, tuple[int, int]]
    inputs: Callable[[Sizes, int], Mapping[str, tuple[Tensor, ...]]]

    def without(self, names: Sequence[str]) -> "GraphSet":
        """Return the set without some graphs."""
        return replace(self, graphs=[each for each in self.graphs if each.name not in names])


def own_graphs(network: Sam2Model, names: Sequence[GraphName]) -> GraphSet:
    """Return the graphs of masklet's runtimes of these names; a network without memory has none that attends to it."""
    config = network.config
    graphs = graphs_of(network, [each for each in names if each is not GraphName.CONDITION or config.num_maskmem])
    used = {size for graph in graphs for spec in graph.inputs for size in spec.shape}
    axes = {name: bounds for name, bounds in axes_of(config).items() if name in used}
    return GraphSet(graphs, axes, partial(example_inputs, network))


def axes_of(config: Sam2Config) -> dict[str, tuple[int, int]]:
    """Return the axes of any size, and the bounds that other programs' profiles may be made from."""
    conditioning = config.max_cond_frame_num if config.max_cond_frame_num > 0 else 16
    return {
        "objects": (1, 256),
        "points": (1, 64),
        "frames": (1, max(config.num_maskmem - 1 + conditioning, RECORDED["frames"])),
        "pointers": (0, max(config.max_object_pointers_in_encoder + conditioning, RECORDED["pointers"])),
    }


def graphs_of(network: Sam2Model, names: Sequence[GraphName]) -> list[Graph]:
    """Return the graphs of these names."""
    tensors = _tensors(network.config)
    made = []
    for name in names:
        call, inputs, outputs = _VERBS[name]
        if not isinstance(network, VideoNetwork):
            outputs = outputs.removesuffix(_POINTERS)
        specs = [tuple(tensors[each].named(each) for each in line.split()) for line in (inputs, outputs)]
        made.append(Graph(name, Verb(network, call), *specs))
    return made


@torch.no_grad()
def example_inputs(network: Sam2Model, sizes: Sizes, seed: int = 0) -> dict[str, tuple[Tensor, ...]]:
    """Return inputs of each graph that `network` has, of these sizes: what it sees of an image of noise."""
    generator = torch.Generator().manual_seed(seed)
    objects, size = sizes["objects"], network.config.image_size
    pixels = torch.randn(1, 3, size, size, generator=generator)
    points = size * torch.rand(objects, sizes["points"], 2, generator=generator)
    labels = torch.randint(-1, 4, (objects, sizes["points"]), generator=generator)
    features = network.without_memory(network.encode_image(pixels))
    one_each = features.conditioned(features.stride16.repeat(objects, 1, 1, 1))
    outputs = network.decode(features, points, labels)
    # Numbers whose interpolation is exact and never 0: a pixel on the threshold would be of either side.
    logits = (outputs.logits[:, 0] * 4).round() / 4 + 0.125
    inputs: dict[str, tuple[Tensor, ...]] = {
        GraphName.ENCODE_IMAGE: (pixels,),
        GraphName.DECODE_IMAGE: (*features, points, labels),
        GraphName.DECODE_MASK: (*one_each, points, labels, logits),
        GraphName.DECODE: (*one_each, points, labels),
    }
    if not isinstance(network, VideoNetwork):
        return inputs
    binarize = torch.arange(objects) % 2 == 0
    given = (features.stride16, logits, outputs.object_score, binarize)
    memory = network.encode_memory(*given).unsqueeze(1).expand(-1, sizes["frames"], -1, -1)
    shape, positions = (objects, sizes["pointers"]), network.config.num_maskmem or 1  # without any, nothing is recorded
    inputs[GraphName.CONDITION] = (
        features.stride16,
        memory + 0.1 * torch.randn(memory.shape, generator=generator),
        torch.randint(0, positions, memory.shape[:2], generator=generator),
        outputs.pointers[:, :1] * torch.rand(*shape, 1, generator=generator),
        torch.rand(shape, generator=generator),
    )
    masks = torch.rand(objects, size, size, generator=generator)
    return inputs | {GraphName.EMBED_MASK: (masks,), GraphName.ENCODE_MEMORY: given}


@dataclass(frozen=True)
class _Tensor:
    shape: tuple[int | str, ...]
    dtype: str = "float32"

    def named(self, name: str) -> TensorSpec:
        return TensorSpec(name, self.dtype, self.shape)


def _tensors(config: Sam2Config) -> dict[str, _Tensor]:
    """Return the tensors of all verbs by name."""
    size, width = config.image_size, config.prompt_encoder_config.hidden_size
    side, outputs = size // 16, config.mask_decoder_config.num_multimask_outputs + 1
    n, memory_width = "objects", config.memory_encoder_output_channels
    return {
        "pixel_values": _Tensor((1, 3, size, size)),
        "stride4": _Tensor((1, width // 8, 4 * side, 4 * side)),
        "stride8": _Tensor((1, width // 4, 2 * side, 2 * side)),
        "stride16": _Tensor((1, width, side, side)),
        "conditioned": _Tensor((n, width, side, side)),
        "features": _Tensor((n, "frames", side * side, memory_width)),
        "temporal_positions": _Tensor((n, "frames"), "int64"),
        "pointers": _Tensor((n, "pointers", width)),
        "times": _Tensor((n, "pointers")),
        "points": _Tensor((n, "points", 2)),
        "labels": _Tensor((n, "points"), "int64"),
        "mask_logits": _Tensor((n, 4 * side, 4 * side)),
        "logits": _Tensor((n, outputs, 4 * side, 4 * side)),
        "iou": _Tensor((n, outputs)),
        "object_score": _Tensor((n,)),
        "output_pointers": _Tensor((n, outputs, width)),
        "masks": _Tensor((n, size, size)),
        "binarize": _Tensor((n,), "bool"),
        "memory": _Tensor((n, side * side, memory_width)),
    }


def _encode_image(network: Sam2Model, pixel_values: Tensor) -> Sequence[Tensor]:
    return network.encode_image(pixel_values)


def _decode(
    network: Sam2Model, stride4: Tensor, stride8: Tensor, stride16: Tensor, *prompts: Tensor
) -> Sequence[Tensor]:
    outputs = network.decode(ImageFeatures(stride4, stride8, stride16), *prompts)
    return outputs if isinstance(network, VideoNetwork) else outputs[:3]


def _condition(network: VideoNetwork, stride16: Tensor, *memory: Tensor) -> Sequence[Tensor]:
    return [network.condition(stride16, ObjectMemory(*memory))]


def _embed_mask(network: VideoNetwork, masks: Tensor) -> Sequence[Tensor]:
    return [network.embed_mask(masks)]


def _encode_memory(network: VideoNetwork, *tensors: Tensor) -> Sequence[Tensor]:
    return [network.encode_memory(*tensors)]


_POINTERS = " output_pointers"  # which a network for images alone does not make
_OUTPUTS = f"logits iou object_score{_POINTERS}"
_VERBS: dict[GraphName, tuple[_Call, str, str]] = {
    GraphName.ENCODE_IMAGE: (_encode_image, "pixel_values", "stride4 stride8 stride16"),
    GraphName.DECODE_IMAGE: (_decode, "stride4 stride8 stride16 points labels", _OUTPUTS),
    GraphName.DECODE: (_decode, "stride4 stride8 conditioned points labels", _OUTPUTS),
    GraphName.DECODE_MASK: (_decode, "stride4 stride8 conditioned points labels mask_logits", _OUTPUTS),
    GraphName.CONDITION: (_condition, "stride16 features temporal_positions pointers times", "conditioned"),
    GraphName.EMBED_MASK: (_embed_mask, "masks", "mask_logits"),
    GraphName.ENCODE_MEMORY: (_encode_memory, "stride16 mask_logits object_score binarize", "memory"),
}
