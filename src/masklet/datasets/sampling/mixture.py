"""Where a run's samples come from: its typed description, several sources as one in a given ratio, object crops."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import Protocol

import numpy as np

from masklet.datasets.augmentation import AffineView, Augmentation, translation
from masklet.datasets.sampling.recorded_clips import ClipSampling
from masklet.datasets.scenes import Clip, Scene
from masklet.datasets.scenes.generator import LARGEST_SHARE, SMALLEST_AREA
from masklet.errors import InvalidInputError
from masklet.masks.geometry import bounding_box
from masklet.masks.views import TRAINED_REACHES, crop_side, surroundings

CHANCE = 6  # keeps it apart from all other chance of a run


@dataclass(frozen=True)
class DataMixture:
    """Annotated data in `roots` (each in any layout of `open_dataset`), and the procedural world beside it.

    `weights` are the frequencies of the roots, relative to the others of its kind (images or videos) and to
    `procedural`; none: all roots alike, 1. Without roots everything is procedural. Stages decide whether a step is on
    images or clips. `images` augments images; if no root holds images, single frames of its videos. `clips` samples
    clips and `videos` augments them.
    """

    roots: tuple[Path, ...] = ()
    weights: tuple[float, ...] = ()
    procedural: float = 0.0
    clips: ClipSampling = field(default_factory=ClipSampling)
    images: Augmentation = field(default_factory=Augmentation.for_images)
    videos: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self) -> None:
        if self.weights and len(self.weights) != len(self.roots):
            raise InvalidInputError(f"{len(self.weights)} weights for {len(self.roots)} data roots; give one for each.")
        if any(weight <= 0 for weight in self.weights) or self.procedural < 0:
            raise InvalidInputError(
                f"weights={self.weights}, procedural={self.procedural} of a data mixture; "
                "the weights of roots are above 0, that of the procedural world is at least 0."
            )

    @property
    def root_weights(self) -> tuple[float, ...]:
        """One weight for each root."""
        return self.weights or (1.0,) * len(self.roots)

    @property
    def procedural_weight(self) -> float:
        """The weight of the procedural world, 0 if it has no part in the run."""
        return self.procedural if self.roots else 1.0


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


class ObjectCrops:
    """The scenes of a source, a `share` (0 to 1) of them as object crops; the same number, the same scene."""

    def __init__(self, source: SceneSource, share: float, seed: int = 0) -> None:
        self._source, self._share, self._seed = source, share, seed

    def scene(self, number: int) -> Scene:
        """Return the scene of a number; errors as the source's."""
        scene = self._source.scene(number)
        rng = np.random.default_rng((CHANCE, self._seed, number))
        return object_crop(rng, scene) if rng.random() < self._share else scene


def object_crop(rng: np.random.Generator, scene: Scene) -> Scene:
    """Crop a square around a random object and enlarge it to the scene's size; return the scene if that is no less.

    What is left of objects fulfils what `Scene` promises, but that there may be one alone.
    """
    size = len(scene.image)
    box = bounding_box(scene.masks[rng.integers(len(scene.masks))])
    assert box is not None  # objects of scenes are visible
    side = crop_side(box, rng.uniform(*TRAINED_REACHES), size, size)
    if side is None:
        return scene
    left, top, _, _ = surroundings(box, side, size, size)
    view = AffineView(np.diag([size / side, size / side, 1.0]) @ translation(-left, -top), size)
    masks = view.masks(scene.masks)
    areas = np.count_nonzero(masks, axis=(1, 2))
    kept = np.flatnonzero((areas >= SMALLEST_AREA) & (areas <= LARGEST_SHARE * size * size))
    new_index = {-1: -1} | {int(old): new for new, old in enumerate(kept)}
    whole_of = [new_index.get(scene.whole_of[index], -1) for index in kept]
    return Scene(view.image(scene.image), masks[kept], whole_of, scene.kind) if len(kept) else scene
