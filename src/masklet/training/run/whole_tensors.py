"""Tensors that FSDP shards among processes, and the whole ones that files hold."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.distributed.tensor import DTensor, distribute_tensor


def local(tensor: Tensor) -> Tensor:
    """Return what this process holds of a tensor, in the same memory."""
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def whole(value: Any) -> Any:
    """Gather all tensors in dictionaries and lists, whole and on the processor. All processes must call it."""
    if isinstance(value, Tensor):
        return (value.full_tensor() if isinstance(value, DTensor) else value).detach().cpu()
    if isinstance(value, Mapping):
        return {key: whole(each) for key, each in value.items()}
    return [whole(each) for each in value] if isinstance(value, list) else value


def divided_like(tensor: Tensor, model: Tensor) -> Tensor:
    """Shard a whole tensor as `model` is if that has its shape; otherwise leave it whole. On the device of `model`."""
    tensor = tensor.to(model.device)
    if not isinstance(model, DTensor) or tensor.shape != model.shape:
        return tensor
    return distribute_tensor(tensor, model.device_mesh, model.placements)


@torch.no_grad()
def fill(tensors: Mapping[str, Tensor], values: Mapping[str, Tensor]) -> None:
    """Set tensors, sharded or not, to whole values of the same names."""
    for name, tensor in tensors.items():
        local(tensor).copy_(local(divided_like(values[name], tensor)))


def load_optimizer(optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Set an optimizer, whose parameters may be sharded, to the state of whole tensors that `whole` made of it."""
    parameters = [each for group in optimizer.param_groups for each in group["params"]]
    divided = {
        number: {
            name: divided_like(value, parameters[number]) if name != "step" else value for name, value in of.items()
        }
        for number, of in state["state"].items()
    }
    optimizer.load_state_dict({**state, "state": divided})
