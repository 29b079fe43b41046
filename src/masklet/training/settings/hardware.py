"""How a machine computes the steps of a recipe."""

from dataclasses import dataclass
from typing import Literal

from masklet.training.settings.ranges import require_numbers

Precision = Literal["auto", "float32", "bfloat16", "float16"]


@dataclass(frozen=True)
class Hardware:
    """How the machine computes the steps.

    `precision` of products, beside float32 weights; "auto" is bfloat16 where that is faster. A step is divided into
    `shares_per_step` shares that a process computes one after another, adding up their gradients; of several processes
    each computes some, so their number changes nothing (1: as many shares as processes). `checkpoints_gradients`:
    compute the image encoder's blocks again in the backward pass, to save memory. `is_sharded`: weights and optimizer
    are divided among several processes (FSDP; one alone is refused), not copied to each (DDP). `needs_gpu`: refuse to
    run on a processor.
    """

    precision: Precision = "auto"
    shares_per_step: int = 1
    checkpoints_gradients: bool = False
    is_sharded: bool = False
    needs_gpu: bool = False

    def __post_init__(self) -> None:
        require_numbers(self, "shares_per_step", at_least=1)
