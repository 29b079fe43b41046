"""Steps whose loss was not finite, saved to be replayed.

    from masklet.training.run.failed_step import replay
    from masklet.training.recipes import recipe_named

    with torch.autograd.detect_anomaly():  # names the operation whose gradient is not a number
        again = replay("RUN/failed_step_1234/micro_batch_0.pt", recipe_named("compact", Path("DATA")))
    print(again.loss, again.metrics)

Give the recipe that the run had: `run.json` beside the state lists its fields, which `overridden` sets by name.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from masklet.checkpoints.writing import write_pickle
from masklet.errors import CheckpointError
from masklet.modeling.video_network import VideoNetwork
from masklet.training.network.building import network_with
from masklet.training.procedure.training_step import Batch, MicroBatch, TrainingStep
from masklet.training.run.devices import Devices
from masklet.training.settings.overrides import settings
from masklet.training.settings.recipe import Recipe
from masklet.training.supply.clip_batches import ClipBatch, ClipSample
from masklet.training.supply.image_batches import SceneBatch
from masklet.training.supply.prompting import PointPrompts
from masklet.training.targets import CropTargets


def save_failed_step(folder: Path, micro_batch: MicroBatch, network: VideoNetwork, recipe: Recipe) -> Path:
    """Write what a micro-batch can be replayed from: its batch, the network before it, the recipe's fields."""
    step, number = micro_batch.step
    path = folder / f"failed_step_{step}" / f"micro_batch_{number}.pt"
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"step": [step, number], "batch": micro_batch.batch.to(torch.device("cpu")), "settings": settings(recipe)}
    size = network.config.image_size
    write_pickle(path, {**content, "network": dict(network.state_dict()), "image_size": size})
    return path


@dataclass(frozen=True)
class Replay:
    """A replayed step: its loss, its metrics, and the network with the gradients in its parameters."""

    loss: float
    metrics: dict[str, float]
    network: VideoNetwork


def replay(path: str | os.PathLike[str], recipe: Recipe, device: str | torch.device = "cpu") -> Replay:
    """Compute a saved micro-batch's loss and gradients again, as the run did on such a device.

    Raises:
        CheckpointError: for a file that `save_failed_step` did not write.
    """
    values: list[Any] = [
        SceneBatch,
        ClipBatch,
        ClipSample,
        CropTargets,
        PointPrompts,
    ]
    try:
        with torch.serialization.safe_globals(values):
            saved = torch.load(path, map_location="cpu", weights_only=True)
        batch: Batch = saved["batch"]
        network = network_with(saved["network"], recipe, saved["image_size"])
    except Exception as error:
        raise CheckpointError(f"{path} holds no failed step of this recipe: {str(error).splitlines()[0]}") from error
    devices = Devices(device, recipe.hardware)
    learning = devices.spread(TrainingStep(network, recipe)).train()
    step, number = saved["step"]
    loss, metrics = learning(MicroBatch(batch.to(devices.device), (step, number)))
    devices.backward(loss)
    return Replay(loss.item(), metrics, network)
