"""A step whose loss was not finite, on disk, to be looked into.

    from masklet.training.run.failed_step import replay
    from masklet.training.recipes import recipe_named

    with torch.autograd.detect_anomaly():  # names the operation whose gradient is not a number
        again = replay("RUN/failed_step_1234/share_0.pt", recipe_named("compact", Path("DATA")))
    print(again.loss, again.curves)

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
from masklet.training.procedure.learning_step import Batch, LearningStep, Task
from masklet.training.run.devices import Devices
from masklet.training.settings.overrides import settings
from masklet.training.settings.recipe import Recipe
from masklet.training.supply.clip_batches import ClipBatch, ClipSample
from masklet.training.supply.close_ups import CloseUps
from masklet.training.supply.prompting import PointPrompts
from masklet.training.supply.stills_batches import SceneBatch


def save_failed_step(folder: Path, task: Task, network: VideoNetwork, recipe: Recipe) -> Path:
    """Write what makes a share of a step happen again: its batch, the network before it, the recipe's fields."""
    step, share = task.step
    path = folder / f"failed_step_{step}" / f"share_{share}.pt"
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"step": [step, share], "batch": task.batch.to(torch.device("cpu")), "settings": settings(recipe)}
    size = network.config.image_size
    write_pickle(path, {**content, "network": dict(network.state_dict()), "image_size": size})
    return path


@dataclass(frozen=True)
class Replay:
    """What a step did again: its loss, its curves, and the network with the gradients in its parameters."""

    loss: float
    curves: dict[str, float]
    network: VideoNetwork


def replay(path: str | os.PathLike[str], recipe: Recipe, device: str | torch.device = "cpu") -> Replay:
    """Compute a saved share's loss and gradients again, as the run did on such a device.

    Raises `CheckpointError` for a file that `save_failed_step` did not write.
    """
    values: list[Any] = [
        SceneBatch,
        ClipBatch,
        ClipSample,
        CloseUps,
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
    learning = devices.spread(LearningStep(network, recipe)).train()
    number, share = saved["step"]
    loss, curves = learning(Task(batch.to(devices.device), (number, share)))
    devices.backward(loss)
    return Replay(loss.item(), curves, network)
