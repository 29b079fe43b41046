"""Which parameters learn: those of the parts that are neither frozen nor at rest."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from masklet.training.settings.parts import Part

if TYPE_CHECKING:
    from torch import nn

# What marks a picture as without memory is learnt from stills, so it goes with the decoder.
_BEGINNINGS: dict[str, Part] = {
    "vision_encoder.": "image_encoder",
    "prompt_encoder.": "prompt_encoder",
    "mask_decoder.": "mask_decoder",
    "no_memory_embedding": "mask_decoder",
}


def part_of(name: str) -> Part:
    """The part that a parameter of the video network belongs to, by its name; whatever is no other's is memory's."""
    return next((part for beginning, part in _BEGINNINGS.items() if name.startswith(beginning)), "memory")


def freeze(network: "nn.Module", frozen: Collection[Part]) -> None:
    """Let the parameters of these parts ask for no gradients, and leave all others as they are."""
    for name, parameter in network.named_parameters():
        if part_of(name) in frozen:
            parameter.requires_grad_(False)


class TrainedParameters:
    """The parameters that ask for gradients now, some of which may rest in some steps."""

    def __init__(self, network: "nn.Module") -> None:
        self._of_part = [(part_of(name), each) for name, each in network.named_parameters() if each.requires_grad]

    def rest(self, resting: Collection[Part]) -> None:
        """Let these parts ask for no gradients, and all others again."""
        for part, parameter in self._of_part:
            parameter.requires_grad_(part not in resting)
