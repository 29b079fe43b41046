"""From what a caller has, a model or the name of a file and of a way to run it, to a runtime."""

import os
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Self, TypeVar

import torch
from torch import nn

from masklet.configuration.presets import SpeedPreset
from masklet.devices import is_bfloat16_faster
from masklet.errors import InvalidInputError
from masklet.json_files import shown
from masklet.modeling.image_model import Sam2Model
from masklet.modeling.video_network import VideoNetwork
from masklet.runtimes.compiled import compiled_network
from masklet.runtimes.protocol import ImageRuntime

AnyRuntime = TypeVar("AnyRuntime", bound=ImageRuntime)
Network = TypeVar("Network", bound=VideoNetwork)
AnyNetwork = TypeVar("AnyNetwork", bound=Sam2Model)


class RuntimeName(StrEnum):
    """How a network is run: as it is, or through torch's compiler."""

    EAGER = "eager"
    COMPILED = "compiled"

    @classmethod
    def named(cls, name: str) -> Self:
        """Return the member of a name; InvalidInputError if there is none."""
        try:
            return cls(name)
        except ValueError as error:
            names = [each.value for each in cls]
            raise InvalidInputError(f"runtime must be one of {names}, got {shown(name)}.") from error


def image_runtime(source: str | os.PathLike[str] | None, preset: str = SpeedPreset.EXACT, **options: Any) -> Sam2Model:
    """Load what segments images; see `network_at`."""
    return network_at(preset, Sam2Model, source, options)


def network_at(
    preset: str, kind: type[AnyNetwork], source: str | os.PathLike[str] | None, options: Mapping[str, Any]
) -> AnyNetwork:
    """Load a network with the number type and the image size of a preset (`SpeedPreset`).

    `options` are those of `kind.from_pretrained` and override the preset; errors as that raises them.
    """
    chosen = SpeedPreset.named(preset)
    is_type_given = options.keys() & {"dtype", "torch_dtype"}
    rounds = chosen.may_round and not is_type_given and is_bfloat16_faster(options.get("device") or "cpu")
    chosen_type: dict[str, Any] = {"dtype": torch.bfloat16} if rounds else {}
    network = kind.from_pretrained(source, **chosen_type, **options)
    if "image_size" not in options:
        network.resize(chosen.image_size(network.config.image_size))
    return network


def as_runtime(network: Network, name: RuntimeName) -> Network:
    """Return a network as the runtime of that name."""
    return compiled_network(network) if name is RuntimeName.COMPILED else network


def for_inference(runtime: AnyRuntime) -> AnyRuntime:
    """Return a runtime that is not training: a network is set to evaluation, others know nothing else."""
    return runtime.eval() if isinstance(runtime, nn.Module) else runtime
