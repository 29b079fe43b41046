"""From what a caller has, a model or the name of a file and of a way to run it, to a runtime."""

import os
from enum import StrEnum
from typing import Any, Self, TypeVar

from torch import nn

from masklet.errors import InvalidInputError
from masklet.json_files import shown
from masklet.modeling.image_model import Sam2Model
from masklet.modeling.video_network import VideoNetwork
from masklet.runtimes.compiled import compiled_network
from masklet.runtimes.protocol import ImageRuntime

AnyRuntime = TypeVar("AnyRuntime", bound=ImageRuntime)
Network = TypeVar("Network", bound=VideoNetwork)


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


def image_runtime(source: str | os.PathLike[str] | None, **options: Any) -> Sam2Model:
    """Load what segments images; arguments and errors as of `Sam2Model.from_pretrained`."""
    return Sam2Model.from_pretrained(source, **options)


def as_runtime(network: Network, name: RuntimeName) -> Network:
    """Return a network as the runtime of that name."""
    return compiled_network(network) if name is RuntimeName.COMPILED else network


def for_inference(runtime: AnyRuntime) -> AnyRuntime:
    """Return a runtime that is not training: a network is set to evaluation, others know nothing else."""
    return runtime.eval() if isinstance(runtime, nn.Module) else runtime
