"""Which mistakes of a graph its comparison with the network sees."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from tests.support.small_models import small_model
from tests.support.small_video_models import small_video_model
from torch import Tensor

from masklet.export.drop_in import drop_in_graphs
from masklet.export.graphs import GraphSet, own_graphs
from masklet.export.parity import differences, largest_difference
from masklet.runtimes.names import GraphName, Layout, RuntimeName

Inputs = Sequence[Tensor]


class Mistaken:
    """A runtime that is the network, but wrong where a graph's inputs are of some kind."""

    name = RuntimeName.ONNXRUNTIME

    def __init__(self, exported: GraphSet, graph: str, is_wrong: Callable[[Inputs], bool]) -> None:
        self._modules = {each.name: each.module for each in exported.graphs}
        self._graph, self._is_wrong = graph, is_wrong

    @torch.no_grad()
    def run(self, graph: str, inputs: Inputs) -> list[Tensor]:
        outputs = self._modules[graph](*inputs)
        return [each + (graph == self._graph and self._is_wrong(inputs)) for each in outputs]


def largest(exported: GraphSet, graph: str, is_wrong: Callable[[Inputs], bool]) -> float:
    return max(each.largest for each in differences(exported, [Mistaken(exported, graph, is_wrong)]))


@pytest.fixture(scope="module")
def video_graphs() -> GraphSet:
    return own_graphs(small_video_model(memory_attention_num_layers=1), [GraphName.CONDITION])


def bank(inputs: Inputs) -> tuple[int, int, int]:
    """The numbers of objects, frames and pointers."""
    _, features, _, pointers, _ = inputs
    return len(features), features.shape[1], pointers.shape[1]


@pytest.mark.parametrize(
    "is_wrong",
    [
        lambda inputs: bank(inputs)[0] == 1 and bank(inputs)[1] >= 7 and bank(inputs)[2] >= 16,
        lambda inputs: bank(inputs)[1:] == (1, 0),
        lambda inputs: len(set(bank(inputs))) == 3 and bank(inputs)[0] > 1,
    ],
    ids=["one object, full memory bank", "no pointers", "objects that are taken for frames"],
)
def test_memory_banks(video_graphs: GraphSet, is_wrong: Callable[[Inputs], bool]) -> None:
    assert largest(video_graphs, GraphName.CONDITION, lambda _: False) == 0
    assert largest(video_graphs, GraphName.CONDITION, is_wrong) > 0


@pytest.mark.parametrize("objects", [1, 2, 4])
def test_objects(video_graphs: GraphSet, objects: int) -> None:
    assert largest(video_graphs, GraphName.CONDITION, lambda inputs: bank(inputs)[0] == objects) > 0


@pytest.mark.parametrize("is_given", [False, True])
@pytest.mark.parametrize("is_single", [False, True])
@pytest.mark.parametrize(
    ("layout", "graph", "place", "count"),
    [
        (Layout.SAMEXPORTER, "masklet.decoder", 6, lambda flag: flag.item()),
        (Layout.TRANSFORMERSJS, "prompt_encoder_mask_decoder", 2, lambda boxes: boxes.shape[1]),
    ],
)
def test_prompts_of_other_layouts(
    layout: Layout, graph: str, place: int, count: Callable[[Tensor], Any], is_single: bool, is_given: bool
) -> None:
    """Boxes and earlier masks are there, and are not, for one object and for several."""

    def is_wrong(inputs: Inputs) -> bool:
        labels = inputs[4] if layout is Layout.SAMEXPORTER else inputs[1][0]
        return (count(inputs[place]) > 0, len(labels) == 1) == (is_given, is_single)

    assert largest(drop_in_graphs(small_model(), layout), graph, is_wrong) > 0


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([torch.zeros(2, 3)], [torch.zeros(3, 2)]),
        ([torch.tensor([float("nan"), 1])], [torch.ones(2)]),
        ([], [torch.ones(1)]),
    ],
)
def test_shapes_and_numbers_that_are_none_differ_infinitely(found: list[Tensor], expected: list[Tensor]) -> None:
    assert largest_difference(found, expected) == float("inf")
    assert largest_difference([torch.tensor([1.0, 2])], [torch.tensor([1.0, 4])]) == 0.5
