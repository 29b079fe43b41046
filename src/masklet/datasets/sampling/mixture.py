"""The typed description of where a run's samples come from."""

from dataclasses import dataclass, field
from pathlib import Path

from masklet.datasets.augmentation import Augmentation
from masklet.datasets.sampling.clip_sampling import ClipSampling
from masklet.errors import InvalidInputError


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
