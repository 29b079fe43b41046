"""The parts of the network that a recipe may freeze or teach at a rate of their own."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from torch import nn

Part = Literal["image_encoder", "prompt_encoder", "mask_decoder", "memory"]
PARTS: tuple[Part, ...] = get_args(Part)

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


def set_trained(network: "nn.Module", frozen: Collection[Part]) -> None:
    """Let all parameters but those of the `frozen` parts ask for gradients."""
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(part_of(name) not in frozen)
