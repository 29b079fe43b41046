"""What graphs in files compute, compared with the network that they were made of."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isnan

import torch
from torch import Tensor

from masklet.errors import InvalidInputError
from masklet.export.graphs import GraphSet, Sizes
from masklet.runtimes.exported import GraphRunner
from masklet.runtimes.names import RuntimeName

TOLERANCE = 1e-5
"""Of float32: the largest difference allowed, as a share of the largest value."""
COMPARED: Sequence[Sizes] = (
    {"objects": 4, "points": 2, "frames": 3, "pointers": 6, "boxes": 4, "earlier_masks": 0},
    {"objects": 1, "points": 3, "frames": 7, "pointers": 16, "boxes": 1, "earlier_masks": 1},
    {"objects": 1, "points": 1, "frames": 1, "pointers": 0, "boxes": 0, "earlier_masks": 0},
    {"objects": 2, "points": 1, "frames": 4, "pointers": 3, "boxes": 0, "earlier_masks": 2},
)
"""In this order on one open graph: what is left over from more objects must not show with fewer.

One object has a full memory bank and an empty one; axes that were taken for each other show, as their sizes differ.
"""


@dataclass(frozen=True)
class Difference:
    """How far a graph is from the network: the largest difference as a share of the largest value.

    It is infinite where shapes differ or numbers are not finite.
    """

    graph: str
    runtime: RuntimeName
    objects: int
    largest: float


def differences(exported: GraphSet, runners: Sequence[GraphRunner]) -> Iterator[Difference]:
    """Yield how far each graph is from the network in each runtime, for all sizes `COMPARED`."""
    for seed, sizes in enumerate(COMPARED, 1):
        inputs = exported.inputs(sizes, seed)
        for graph in exported.graphs:
            with torch.no_grad():
                expected = graph.module(*inputs[graph.name])
            for runner in runners:
                largest = largest_difference(runner.run(graph.name, inputs[graph.name]), expected)
                yield Difference(graph.name, runner.name, sizes["objects"], largest)


def largest_difference(found: Sequence[Tensor], expected: Sequence[Tensor]) -> float:
    """Return the largest difference of any output, as a share of its largest value."""
    if [each.shape for each in found] != [each.shape for each in expected]:
        return float("inf")
    pairs = ((a.double(), b.double()) for a, b in zip(found, expected, strict=True) if b.numel())
    shares = [((a - b).abs().max() / b.abs().max().clamp(min=1e-12)).item() for a, b in pairs]
    return max((float("inf") if isnan(share) else share for share in shares), default=0.0)


def check_parity(found: Sequence[Difference], tolerance: float) -> None:
    """Raise InvalidInputError, naming the worst, if a graph is further from the network than that."""
    worst = max(found, key=lambda each: each.largest, default=None)
    if worst is not None and worst.largest > tolerance:
        raise InvalidInputError(
            f"The graph {worst.graph} in {worst.runtime.value} differs from the network by {worst.largest:.2e} "
            f"of its largest value for {worst.objects} objects; allowed are {tolerance:.1e} (--tolerance). Nothing was "
            "written."
        )
