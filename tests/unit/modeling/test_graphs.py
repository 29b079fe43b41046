"""What `torch.export` needs of the network's verbs: values that are pytrees, and no size taken for a constant."""

import torch
from tests.support.small_video_models import small_video_model
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from masklet.modeling.object_memory import ObjectMemory
from masklet.modeling.outputs import DecodedMasks
from masklet.modeling.values import ImageFeatures, MaskOutputs


class Conditioning(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.network = small_video_model(memory_attention_num_layers=1)

    def forward(self, stride16: Tensor, memory: ObjectMemory) -> Tensor:
        return self.network.condition(stride16, memory)


def inputs(objects: int, frames: int, pointers: int) -> tuple[Tensor, ObjectMemory]:
    generator = torch.Generator().manual_seed(objects)

    def drawn(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator)

    positions = torch.randint(0, 7, (objects, frames), generator=generator)
    memory = (drawn(objects, frames, 36, 32), positions, drawn(objects, pointers, 64), drawn(objects, pointers))
    return drawn(1, 64, 6, 6), ObjectMemory(*memory)


@torch.no_grad()
def test_one_graph_conditions_on_any_objects_frames_and_pointers() -> None:
    any_size = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    module, sizes = Conditioning(), (None, ObjectMemory(*[any_size] * 4))  # type: ignore[arg-type]
    graph = torch.export.export(module, inputs(3, 2, 5), dynamic_shapes=sizes, strict=False).module()
    for shape in [(1, 1, 0), (1, 7, 1), (4, 2, 16)]:
        expected = module(*inputs(*shape))
        torch.testing.assert_close(graph(*inputs(*shape)), expected, rtol=1e-5, atol=1e-5)


def test_values_are_made_of_tensors() -> None:
    for kind in (ImageFeatures, MaskOutputs, ObjectMemory):
        tensors = [torch.full((1,), float(place)) for place in range(len(kind._fields))]
        leaves, structure = pytree.tree_flatten(kind(*tensors))
        assert leaves == tensors
        assert isinstance(pytree.tree_unflatten(leaves, structure), kind)
    decoded = DecodedMasks(*torch.zeros(4), attentions=[torch.ones(1)])
    assert len(pytree.tree_leaves(decoded)) == 5
