"""Several sources of scenes or clips as one, in a given ratio; of each, every sample in turn."""

from collections.abc import Sequence
from fractions import Fraction
from math import floor
from typing import Protocol

from masklet.datasets.scenes import Clip, Scene


class SceneSource(Protocol):
    """Endless scenes of one size."""

    def scene(self, number: int, /) -> Scene:
        """Return the scene of a number >= 0, always the same."""
        ...


class ClipSource(Protocol):
    """Endless clips of one size and length."""

    def clip(self, number: int, /) -> Clip:
        """Return the clip of a number >= 0, always the same."""
        ...


class MixedScenes:
    """Scenes of several sources, each drawn in proportion to its weight, its numbers 0, 1, 2, ... in turn."""

    def __init__(self, sources: Sequence[SceneSource], weights: Sequence[float]) -> None:
        self.sources, self.weights = sources, weights

    def scene(self, number: int) -> Scene:
        """Return the scene of a number >= 0."""
        source, turn = drawn(self.weights, number)
        return self.sources[source].scene(turn)


class MixedClips:
    """Clips of several sources, each drawn in proportion to its weight, its numbers 0, 1, 2, ... in turn."""

    def __init__(self, sources: Sequence[ClipSource], weights: Sequence[float]) -> None:
        self.sources, self.weights = sources, weights

    def clip(self, number: int) -> Clip:
        """Return the clip of a number >= 0."""
        source, turn = drawn(self.weights, number)
        return self.sources[source].clip(turn)


def drawn(weights: Sequence[float], number: int) -> tuple[int, int]:
    """Return the source of a number, and how many of the numbers before it are of the same source.

    The last source gets its share, evenly spread over all numbers; what is left is divided among the others in the same
    way. So counts are known without a look at earlier numbers, and exact: hence the fractions.
    """
    exact = [Fraction(each) for each in weights]
    turn = number
    for source in range(len(exact) - 1, 0, -1):
        share_of_others = sum(exact[:source]) / sum(exact[: source + 1])
        others = floor(turn * share_of_others)
        if floor((turn + 1) * share_of_others) == others:
            return source, turn - others
        turn = others
    return 0, turn
