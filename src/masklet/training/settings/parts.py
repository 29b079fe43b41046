"""The parts of the network that a recipe may freeze, and that rest in steps which have no use for them."""

from typing import Literal, get_args

Part = Literal["image_encoder", "prompt_encoder", "mask_decoder", "memory"]
PARTS: tuple[Part, ...] = get_args(Part)
