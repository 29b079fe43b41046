"""The processes of a training run and their devices, by Lightning Fabric; `torchrun` starts several processes.

One process alone, several with a copy of the network each (DDP), or with parts of it (FSDP), in the chosen precision.
Tensors that FSDP shards among processes are gathered whole for files.
"""

import atexit
import logging
import os
import warnings
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.tensor import DTensor, distribute_tensor

from masklet.devices import is_bfloat16_faster
from masklet.errors import InvalidInputError
from masklet.modeling.video_network import VideoNetwork
from masklet.training.settings.recipe import Hardware, Precision, Recipe
from masklet.training.supply.micro_batches import StepSlice

if TYPE_CHECKING:
    from lightning_fabric import Fabric
    from lightning_fabric.wrappers import _FabricModule

Value = TypeVar("Value")

FABRIC_PRECISION: dict[Precision, Any] = {"float32": "32-true", "bfloat16": "bf16-mixed", "float16": "16-mixed"}


class Devices:
    """This process, its device, and what all processes of the run do together.

    Raises:
        InvalidInputError: where the machine cannot do what `hardware` requires.
    """

    def __init__(self, device: str | torch.device, hardware: Hardware) -> None:
        self.kind = torch.device(device).type
        self.count = int(os.environ.get("WORLD_SIZE", "1"))
        self.precision = _checked_precision(self.kind, hardware)
        self.is_sharded = _checked_sharding(self.count, hardware)
        self.fabric = _fabric(torch.device(device), self.count, self.is_sharded, self.precision)
        self.fabric.launch()
        if self.count > 1:
            atexit.register(_leave_the_others)

    @property
    def is_first(self) -> bool:
        """True for the process that writes files and reports."""
        return self.fabric.global_rank == 0

    @property
    def device(self) -> torch.device:
        """This process's device."""
        return self.fabric.device

    def __str__(self) -> str:
        several = f"{self.count} processes, {'parts of one network' if self.is_sharded else 'a copy each'}, on "
        return f"{several if self.count > 1 else ''}{self.device.type} in {self.precision}"

    def slices_of(self, recipe: Recipe) -> list[StepSlice]:
        """Return this process's micro-batches of a step, as many as every other's.

        Raises:
            InvalidInputError: if steps cannot be divided like that.
        """
        count = max(recipe.hardware.micro_batches_per_step, self.count)
        fewest = min(stage.fewest_a_step for stage in recipe.stages)
        if count % self.count:
            raise InvalidInputError(
                f"{self.count} processes cannot divide {count} micro-batches a step (micro_batches_per_step)."
            )
        if fewest < count:
            parts = "processes" if count == self.count else "micro-batches"
            raise InvalidInputError(f"{fewest} scenes or clips a step are too few for {count} {parts}.")
        return [StepSlice(number, count) for number in range(self.fabric.global_rank, count, self.count)]

    def spread(self, module: nn.Module) -> "_FabricModule":
        """Move a module to this process's device, its calls in the chosen precision and its gradients those of all."""
        return self.fabric.setup_module(module)

    def gradient_accumulation(self, module: "_FabricModule", is_last: bool) -> AbstractContextManager[Any]:
        """Accumulate gradients over micro-batches: those of this process are exchanged with the last one only.

        The context is for the forward and backward pass of one micro-batch.
        """
        return self.fabric.no_backward_sync(module, enabled=not is_last)

    def backward(self, loss: Tensor) -> None:
        """Add the gradients of a loss, scaled up where the precision needs it."""
        self.fabric.backward(loss)

    def clip_gradients(self, module: "_FabricModule", optimizer: torch.optim.Optimizer, most: float) -> float:
        """Scale the gradients down to norm `most`; returns the norm they had, which may not be finite."""
        norm = self.fabric.clip_gradients(module, optimizer, max_norm=most, error_if_nonfinite=False)
        return float(whole(norm))

    def update(self, optimizer: torch.optim.Optimizer, *, is_finite: bool) -> None:
        """Let the optimizer step; gradients that are not finite change nothing but float16's scale."""
        if is_finite or self.precision == "float16":
            self.fabric.strategy.optimizer_step(optimizer)

    def scaling(self) -> dict[str, Any]:
        """Return the state of float16's loss scale; empty in other precisions."""
        return self.fabric.strategy.precision.state_dict()

    def set_scaling(self, state: dict[str, Any]) -> None:
        """Restore a state of `scaling`; one of another precision is ignored."""
        if state and self.precision == "float16":
            self.fabric.strategy.precision.load_state_dict(state)

    def from_all(self, values: list[Value]) -> list[Value]:
        """Gather the values of all processes, in the same order everywhere."""
        if self.count == 1:
            return values
        everyone: list[list[Value]] = [[] for _ in range(self.count)]
        dist.all_gather_object(everyone, values)
        return [each for of_process in everyone for each in of_process]


def _checked_precision(kind: str, hardware: Hardware) -> Precision:
    if kind == "cpu" and hardware.needs_gpu:
        raise InvalidInputError(
            "This recipe is for a GPU (hardware.needs_gpu) and the run is on the processor: give --device cuda where "
            "there is one, or hardware.needs_gpu=false if days on a processor will do."
        )
    if kind != "cuda" and hardware.precision == "float16":
        raise InvalidInputError(f"precision float16 needs a CUDA GPU, this run is on {kind}: give bfloat16 or float32.")
    if hardware.precision != "auto":
        return hardware.precision
    return "bfloat16" if is_bfloat16_faster(kind) else "float32"


def _checked_sharding(count: int, hardware: Hardware) -> bool:
    if hardware.is_sharded and count == 1:
        raise InvalidInputError(
            "hardware.is_sharded divides the network among several processes, and this run is only one: start it with "
            "torchrun --nproc-per-node N -m masklet train, or give hardware.is_sharded=false."
        )
    return hardware.is_sharded


def _fabric(device: torch.device, count: int, is_sharded: bool, precision: Precision) -> "Fabric":
    try:
        from lightning_fabric import Fabric
        from lightning_fabric.strategies.ddp import DDPStrategy
        from lightning_fabric.strategies.model_parallel import ModelParallelStrategy
    except ImportError as error:
        raise InvalidInputError("Training needs Lightning Fabric: pip install 'masklet[train]'.") from error
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # observers report to whoever watches a run
    how: dict[str, Any] = {"accelerator": device.type, "precision": FABRIC_PRECISION[precision]}
    if count == 1:
        return Fabric(devices=1 if device.index is None else [device.index], **how)
    here = int(os.environ.get("LOCAL_WORLD_SIZE", str(count)))
    if device.type == "cuda" and torch.cuda.device_count() < here:
        raise InvalidInputError(f"{here} processes need as many GPUs; this machine has {torch.cuda.device_count()}.")
    warnings.filterwarnings("ignore", "Grad strides do not match bucket view strides")  # of convolutions to a point
    strategy = (
        ModelParallelStrategy(_sharded, data_parallel_size=count, tensor_parallel_size=1)
        if is_sharded
        else DDPStrategy(find_unused_parameters=True)  # whole parts are frozen in some steps
    )
    return Fabric(devices=here, num_nodes=count // here, strategy=strategy, **how)


def _sharded(module: nn.Module, mesh: Any) -> nn.Module:
    """Shard the weights among the processes.

    Blocks of the backbone are gathered one by one as they are called; everything else together, since the network uses
    its weights from outside the modules that hold them.
    """
    from torch.distributed.fsdp import fully_shard

    warnings.filterwarnings("ignore", "FSDP2-wrapped module .* returned a view")  # nothing here works in place
    network = next(each for each in module.modules() if isinstance(each, VideoNetwork))
    for block in network.vision_encoder.backbone.blocks:
        fully_shard(block, mesh=mesh["data_parallel"])
    fully_shard(module, mesh=mesh["data_parallel"])
    return module


def _leave_the_others() -> None:
    """Close the connections: a process that ends with their threads still running may be aborted."""
    if dist.is_initialized():
        dist.destroy_process_group()


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
