"""Frozen and trained parameters: for a whole run, and for single steps."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from masklet.training.settings.stages import Part

if TYPE_CHECKING:
    from torch import nn

# The embedding of images without memory is learnt from images, so it goes with the decoder.
_BEGINNINGS: dict[str, Part] = {
    "vision_encoder.": "image_encoder",
    "prompt_encoder.": "prompt_encoder",
    "mask_decoder.": "mask_decoder",
    "no_memory_embedding": "mask_decoder",
}


def part_of(name: str) -> Part:
    """Return the part that a parameter of the video network belongs to, by its name; all others are memory's."""
    return next((part for beginning, part in _BEGINNINGS.items() if name.startswith(beginning)), "memory")


def freeze(network: "nn.Module", frozen: Collection[Part]) -> None:
    """Freeze the parameters of these parts, and leave all others as they are."""
    for name, parameter in network.named_parameters():
        if part_of(name) in frozen:
            parameter.requires_grad_(False)


class TrainedParameters:
    """The parameters that require gradients, some of which may be frozen in some steps."""

    def __init__(self, network: "nn.Module") -> None:
        self._of_part = [(part_of(name), each) for name, each in network.named_parameters() if each.requires_grad]

    def freeze(self, frozen: Collection[Part]) -> None:
        """Freeze these parts until the next call, and train all others again."""
        for part, parameter in self._of_part:
            parameter.requires_grad_(part not in frozen)
