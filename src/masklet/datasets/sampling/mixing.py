"""Several sources of scenes or clips as one, in a given ratio."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from masklet.datasets.scenes import Clip, Scene

DRAWING = 1  # keeps the draw of the source apart from the chance inside a sample


class SceneSource(Protocol):
    """Endless scenes of one size."""

    def scene(self, number: int, /) -> Scene:
        """The scene of a number >= 0, always the same."""
        ...


class ClipSource(Protocol):
    """Endless clips of one size and length."""

    def clip(self, number: int, /) -> Clip:
        """The clip of a number >= 0, always the same."""
        ...


class MixedScenes:
    """Scenes of several sources, each drawn in proportion to its weight."""

    def __init__(self, sources: Sequence[SceneSource], weights: Sequence[float], seed: int) -> None:
        self.sources, self.weights, self.seed = sources, weights, seed

    def scene(self, number: int) -> Scene:
        """The scene of a number >= 0."""
        return self.sources[drawn(self.weights, self.seed, number)].scene(number)


class MixedClips:
    """Clips of several sources, each drawn in proportion to its weight."""

    def __init__(self, sources: Sequence[ClipSource], weights: Sequence[float], seed: int) -> None:
        self.sources, self.weights, self.seed = sources, weights, seed

    def clip(self, number: int) -> Clip:
        """The clip of a number >= 0."""
        return self.sources[drawn(self.weights, self.seed, number)].clip(number)


def drawn(weights: Sequence[float], seed: int, number: int) -> int:
    """The source of a number, by chance in proportion to the weights."""
    shares = np.array(weights) / sum(weights)
    return int(np.random.default_rng((DRAWING, seed, number)).choice(len(shares), p=shares))
