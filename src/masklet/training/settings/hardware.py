"""Hardware settings: precision, gradient accumulation, gradient checkpointing, sharding."""

from dataclasses import dataclass
from typing import Literal

from masklet.training.settings.ranges import require_numbers

Precision = Literal["auto", "float32", "bfloat16", "float16"]


@dataclass(frozen=True)
class Hardware:
    """Precision, gradient accumulation and memory of the steps; changes no result but by rounding.

    Attributes:
        precision: of products, beside float32 weights; "auto" is bfloat16 where that is faster.
        micro_batches_per_step: into how many micro-batches a step is divided. A process computes its own one after
            another (gradient accumulation), so the number of processes changes nothing. 1: as many as processes.
        gradient_checkpointing: compute the image encoder's blocks again in the backward pass, to save memory.
        is_sharded: divide weights and optimizer among several processes (FSDP) instead of copying them to each (DDP);
            a single process is refused.
        needs_gpu: refuse to run on a processor.
    """

    precision: Precision = "auto"
    micro_batches_per_step: int = 1
    gradient_checkpointing: bool = False
    is_sharded: bool = False
    needs_gpu: bool = False

    def __post_init__(self) -> None:
        require_numbers(self, "micro_batches_per_step", at_least=1)
