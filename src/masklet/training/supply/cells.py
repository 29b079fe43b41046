"""Which cells of the network's answers an object has, where targets are the share of each cell that it covers."""

from torch import Tensor


def cells_of(targets: Tensor) -> Tensor:
    """Of soft targets [..., h, w] in 0..1 the cells that are the object's, bool."""
    return as_logits(targets) > 0


def as_logits(targets: Tensor) -> Tensor:
    """Soft targets [..., h, w] in 0..1 less the share from which on a cell is the object's: a half.

    Of an object that covers half of no cell, as a wire does, it is half of what it covers of its fullest one: whatever
    there is has a cell that can be clicked on.
    """
    fullest = targets.amax((-2, -1), keepdim=True)
    return targets - (fullest / 2).clamp(max=0.5)
