"""When a remembered table may be used again, and when it may not."""

import copy
import pickle
from collections.abc import Callable
from contextlib import nullcontext

import pytest
import torch
from torch import Tensor, nn

from masklet.modeling.positions import OnceAShape


class Doubled(nn.Module):
    """Twice its weight, remembered; counts how often it is computed."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3))
        self.remembered = OnceAShape()
        self.computed = 0

    def forward(self, shape: int = 1) -> Tensor:
        return self.remembered.get(lambda: self._compute(shape), shape, self.weight)

    def _compute(self, shape: int) -> Tensor:
        self.computed += 1
        return self.weight.repeat(shape) * 2


@pytest.fixture
def doubled() -> Doubled:
    module = Doubled()
    with torch.no_grad():
        module()
    return module


@torch.no_grad()
def test_the_second_call_computes_nothing(doubled: Doubled) -> None:
    assert torch.equal(doubled(), torch.full((3,), 2.0))
    assert doubled.computed == 1


@torch.no_grad()
def test_another_shape_is_computed(doubled: Doubled) -> None:
    assert doubled(2).shape == (6,)
    assert doubled(1).shape == (3,)


@torch.no_grad()
@pytest.mark.parametrize(("constant", "shape", "computes"), [(True, 1, False), (True, 2, True), (False, 1, True)])
def test_a_graph_holds_the_table_if_asked_for_this_shape(
    doubled: Doubled, constant: bool, shape: int, computes: bool
) -> None:
    with doubled.remembered.as_constant() if constant else nullcontext():
        program = torch.export.export(doubled, (), {"shape": shape}, strict=False)
    assert any(node.target is torch.ops.aten.mul.Tensor for node in program.graph.nodes) == computes
    assert torch.equal(program.module()(shape=shape), torch.full((3 * shape,), 2.0))


def write_in_place(module: Doubled) -> None:
    with torch.no_grad():
        module.weight.fill_(5)


def load(module: Doubled) -> None:
    module.load_state_dict({"weight": torch.full((3,), 5.0)})


def load_by_assignment(module: Doubled) -> None:
    module.load_state_dict({"weight": torch.full((3,), 5.0, device=module.weight.device)}, assign=True)


def replace_twice(module: Doubled) -> None:
    """The second new parameter may lie where the first one of all lay."""
    for value in (7.0, 5.0):
        module.weight = nn.Parameter(torch.full((3,), value, device=module.weight.device))


def take_a_step(fused: bool) -> Callable[[Doubled], None]:
    def change(module: Doubled) -> None:
        module.weight.grad = torch.full_like(module.weight, -1.0)
        torch.optim.AdamW([module.weight], lr=4.0, weight_decay=0.0, fused=fused).step()

    return change


def write_data(module: Doubled) -> None:
    """Common in swaps of averaged weights; torch's version counter does not notice."""
    module.weight.data.copy_(torch.full((3,), 5.0))


def average(module: Doubled) -> None:
    with torch.no_grad():
        torch._foreach_lerp_([module.state_dict()["weight"]], [torch.full_like(module.weight, 9.0)], 0.5)


@pytest.mark.parametrize(
    "change",
    [
        write_in_place,
        write_data,
        load,
        load_by_assignment,
        replace_twice,
        pytest.param(take_a_step(fused=False), id="plain optimizer"),
        pytest.param(take_a_step(fused=True), id="fused optimizer"),
        average,
    ],
)
def test_a_changed_source_is_noticed(doubled: Doubled, change: Callable[[Doubled], None]) -> None:
    change(doubled)
    with torch.no_grad():
        torch.testing.assert_close(doubled(), torch.full((3,), 10.0), rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_a_cast_is_noticed(doubled: Doubled) -> None:
    assert doubled.to(torch.bfloat16)().dtype == torch.bfloat16
    assert doubled.double()().dtype == torch.float64


def test_never_reused_while_gradients_flow(doubled: Doubled) -> None:
    doubled().sum().backward()
    assert torch.equal(doubled.weight.grad, torch.full((3,), 2.0))
    doubled().sum().backward()
    assert torch.equal(doubled.weight.grad, torch.full((3,), 4.0))


def test_reused_where_the_source_takes_no_gradients(doubled: Doubled) -> None:
    doubled.weight.requires_grad_(False)
    doubled()
    doubled()
    assert doubled.computed == 1


def test_made_in_inference_mode_and_used_in_training(doubled: Doubled) -> None:
    with torch.inference_mode():
        doubled(4)
    with torch.no_grad():
        table = doubled(4)
    assert doubled.computed == 2  # the fixture's, and one for both calls
    scale = torch.ones(12, requires_grad=True)
    (scale * table).sum().backward()
    assert torch.equal(scale.grad, table)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda module: pickle.loads(pickle.dumps(module))])
@torch.no_grad()
def test_a_copy_remembers_nothing_of_the_original(doubled: Doubled, copied: Callable[[Doubled], Doubled]) -> None:
    twin = copied(doubled)
    twin.weight.fill_(4)
    assert torch.equal(twin(), torch.full((3,), 8.0))
    assert torch.equal(doubled(), torch.full((3,), 2.0))
    assert (twin.computed, doubled.computed) == (2, 1)


def test_sources_made_in_inference_mode() -> None:
    with torch.inference_mode():
        module = Doubled().requires_grad_(False)
        assert torch.equal(module(), torch.full((3,), 2.0))
        module.weight.fill_(5)
        assert torch.equal(module(), torch.full((3,), 10.0))
    assert torch.equal(module(), torch.full((3,), 10.0))
    assert module.computed == 2


@pytest.mark.parametrize(
    "change", [write_in_place, load_by_assignment, replace_twice, take_a_step(fused=False), average]
)
def test_off_the_processor_a_table_is_remembered_in_inference_mode_only(change: Callable[[Doubled], None]) -> None:
    module = Doubled().to("meta")
    with torch.inference_mode():
        module()
        module()
        assert module.computed == 1
    with torch.no_grad():
        module()
        module()
    assert module.computed == 3
    for _ in range(2):
        with torch.inference_mode():
            module()
            module()
        change(module)
    assert module.computed == 5


@torch.no_grad()
def test_results_differ_after_a_source_other_than_the_first_changes() -> None:
    first, second, table = torch.ones(2), torch.ones(2), OnceAShape()
    assert torch.equal(table.get(lambda: first + second, 0, first, second), torch.full((2,), 2.0))
    second.add_(1)
    assert torch.equal(table.get(lambda: first + second, 0, first, second), torch.full((2,), 3.0))
